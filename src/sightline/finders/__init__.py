"""Finders: picture -> what is in it, by rule and without learning; an entry is a public function.

A finder takes rows, columns (and channels) of uint8, uint16 or float32 and named settings, writes to nothing that it
was given, and answers with one of the records of `core/annotations`.
"""
