"""Label layouts: one module each, with `sniff(path) -> Fit`, `read(path) -> Dataset`, `write(data, path) -> Path`.

`LAYOUT` shows in one line what the layout looks like. A writer refuses what its layout cannot hold; given a `Lost`
that is not strict it drops and lists it instead. Nothing is dropped in silence.
"""
