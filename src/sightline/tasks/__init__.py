"""The wiring of each kind of problem: one torch-free file that defines TASK."""
