"""Evaluating: how good a model is, how sure we are of it, and whether another one is better."""
