"""Functions (parameters, rate, decay, ...) -> optimiser."""
