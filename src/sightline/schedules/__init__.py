"""Functions (progress, history, ...) -> factor of the learning rate."""
