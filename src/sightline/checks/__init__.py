"""Functions (data) -> findings: each looks for one kind of fault, and is silent on clean data."""
