"""Hand-made features: a picture becomes one row of numbers (1-D), or rows of local descriptors (2-D).

Shapes depend on settings and on the number of channels only, never on what the picture shows.
"""
