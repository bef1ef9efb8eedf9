"""From data and a task to weights: the loop, its memory and its guards."""
