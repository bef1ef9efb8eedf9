"""Networks, one a file: `build(...)` makes it, `GIVES` names what it gives, `PARAMETERS` counts it as built by default."""
