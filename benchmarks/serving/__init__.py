"""Serving, measured: one load generator for every server, ours and others."""
