"""Composing: several pictures of one thing become one, or are laid on each other to be compared."""
