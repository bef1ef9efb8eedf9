"""Composing: several pictures of one thing become one picture, or are laid on each other so that they can be compared."""
