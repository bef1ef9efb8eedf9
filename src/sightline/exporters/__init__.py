"""Runtimes: `export` writes a graph as bytes, `load` makes a run of those bytes."""
