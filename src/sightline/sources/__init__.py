"""Where pictures come from: one module each, with `read(place) -> Dataset`, `feed(place) -> Feed`, or both.

`place` is what follows the colon of a word such as `video:clip.mp4?every=10`. A module whose `sniff(path) -> Fit`
answers 2 makes a file natural without its word. Opening reads no pixels; what is let go leaves nothing open.
"""
