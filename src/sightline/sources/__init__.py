"""Where pictures come from: one module a place, each opened by `read`."""
