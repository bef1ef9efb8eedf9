"""From a trained run to a bundle that proves itself."""
