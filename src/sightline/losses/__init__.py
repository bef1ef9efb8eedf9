"""Functions from tensors to one number; zero (or the least possible) on identical input."""
