"""Faults of detail: pictures that are blurred, noisy, or packed too hard."""

from __future__ import annotations

from sightline.checks._telling import far_above, tell
from sightline.core.dataset import Dataset
from sightline.core.finding import Finding
from sightline.core.measures import measured

BLURRED, UNLIKE = 0.68, 0.5  # from the first for sure; from the second where the other pictures are sharp
SMOOTH = 0.002  # variance of the Laplacian over that of gray: below it nothing has an edge
FINE = 100.0  # variance of the Laplacian above which fine detail is there whatever the blur
NOISY, LOUD = 20.0, 10.0  # gray levels: for sure, and where the other pictures are quiet
BLOCKY = 0.75  # about quality 15 of JPEG


def blurred(data: Dataset) -> list[Finding]:
    """Pictures without fine detail: out of focus, moved, or enlarged from a smaller one."""
    measures = measured(data)
    blur = measures["blur"]
    smooth = measures["sharpness"] < SMOOTH * (255 * measures["contrast"]) ** 2
    marked = ((blur > BLURRED) | far_above(blur, 6, UNLIKE) | smooth) & (measures["sharpness"] < FINE)
    return tell(
        "blurred",
        data,
        (measures, marked),
        blur,
        lambda count: f"{count} blurred",
        "Focus, hold still or shorten the exposure; keep some if the camera in use will be as blurred.",
        lambda place: f"blur {blur[place]:.2f}",
    )


def noisy(data: Dataset) -> list[Finding]:
    """Pictures with strong noise: little light, high gain, or a fine texture that looks like it."""
    measures = measured(data)
    noise = measures["noise"]
    marked = (noise > NOISY) | far_above(noise, 8, LOUD)
    return tell(
        "noisy",
        data,
        (measures, marked),
        noise,
        lambda count: f"{count} with strong noise",
        "Add light or lower the gain; train with added noise if it cannot be helped.",
        lambda place: f"noise of {noise[place]:.0f} gray levels",
        severity="note",
        harm=0.1,
    )


def blocky(data: Dataset) -> list[Finding]:
    """Pictures in which the 8 x 8 blocks of hard JPEG packing can be seen."""
    measures = measured(data)
    blocks = measures["blockiness"]
    return tell(
        "blocky",
        data,
        (measures, blocks > BLOCKY),
        blocks,
        lambda count: f"{count} packed so hard that blocks show",
        "Get the originals; messengers and thumbnails pack like this.",
        lambda place: f"steps at blocks {1 + blocks[place]:.1f} times as large",
    )
