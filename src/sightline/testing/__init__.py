"""For tests of parts, ours and those of other packages: toy data, counting, and children that lack a library."""
