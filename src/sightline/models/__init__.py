"""Networks, one a file: `build(...)` makes it, `GIVES` names what it gives, `PARAMETERS` counts the default one."""
