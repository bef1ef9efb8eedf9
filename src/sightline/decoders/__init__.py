"""Kinds of picture files: one file each, asked by `core.decoding` alone.

`SUFFIXES` names its files, `recognises(data)` says how sure the first bytes make it (0: not at all),
`look(data, page, limits)` answers a `Header` without decoding, `read(data, header, page, reduce)` the pixels as they
are stored, once the header has passed `core.limits.check`. Optional:
`frames(data, limits)` yields every page in one pass, `encode(pixels, quality)` makes a file of that kind.
"""
