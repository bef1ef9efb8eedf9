"""Functions (sample, rng, *, settings) -> sample; geometry moves every picture and annotation."""
