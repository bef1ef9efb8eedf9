"""Label layouts: one module each, with `sniff(path) -> Fit`, `read(path) -> Dataset`, `write(data, path) -> Path`.

`LAYOUT` shows in one line what the layout looks like. A writer refuses what its layout cannot hold; nothing is dropped.
"""
