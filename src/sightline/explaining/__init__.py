"""From a model and a picture to why it answered so: shown where checks are passed, withheld with the reason if not."""
