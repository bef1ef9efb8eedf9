"""Bytes of one kind of picture file to pixels; `core.decoding` asks for them by the first bytes of a file."""
