"""Filters: picture -> picture, an entry is a public function.

A filter takes rows, columns (and channels) of uint8, uint16 or float32 and named settings, writes to nothing that it
was given, and answers with a new picture of the same depth in the same range.
"""
