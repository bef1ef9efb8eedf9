"""Matchers: (first, second) -> how the second picture lies on the first; an entry is a public function.

A matcher takes two pictures of uint8, uint16 or float32 and named settings, writes to nothing that it was given, and
answers with one of the records of `core/relation`: `Matches`, `Move` or `Field`. Pictures that have nothing in common
get a score below one half or a typed error, never an answer that looks sure.
"""
