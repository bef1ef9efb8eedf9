"""Films for tests, made on the spot: every picture shows its own number in its brightness and in its corner."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import numpy as np

SIZE = (48, 64)  # rows, columns


def picture(number: int) -> np.ndarray:
    """A slope that moves on with every picture, and a corner that stays dark: none is like another."""
    rows, columns = np.indices(SIZE)
    pixels = np.stack([(columns * 3 + number * 5) % 256, (rows * 4 + number * 3) % 256, rows + columns], -1)
    pixels[:12, :16] = 0  # which way is up can be told
    return pixels.astype(np.uint8)


def film(
    where: Path | io.BytesIO,
    container: str = "mp4",
    codec: str = "mpeg4",
    count: int = 24,
    *,
    rate: int = 10,
    pixels: str = "yuv420p",
    turned: int = 0,
    sound: bool = False,
    **options: str,
) -> Any:
    """A film of `count` pictures."""
    with av.open(str(where) if isinstance(where, Path) else where, "w", format=container) as made:
        stream = made.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width, stream.pix_fmt = *SIZE, pixels
        stream.bit_rate = 4_000_000
        if turned:
            stream.set_display_rotation(turned)
        tone = made.add_stream("aac", rate=16000, layout="mono") if sound else None
        for number in range(count):
            made.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), "rgb24")))
        made.mux(stream.encode())
        if tone is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate, silence.pts = 16000, 0
            made.mux(tone.encode(silence))
            made.mux(tone.encode())
    return where
