"""From a model to a smaller or faster one, with what it lost measured against what it was."""
