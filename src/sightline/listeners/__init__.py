"""Listeners keep what a stage says: `NEEDS` names a library, `open(folder, facts)` gives a `tell` that closes."""
