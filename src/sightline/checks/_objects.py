"""What checks of objects share: the objects one by one, the size of their picture, and a finding that counts both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sightline.core.annotations import Objects
from sightline.core.dataset import Dataset
from sightline.core.finding import EXAMPLES, Finding, count_of
from sightline.core.known import KnownImage, remember
from sightline.core.sample import Sample


def objects_of(data: Dataset) -> Iterator[tuple[Sample, Objects]]:
    """Every sample that is labelled with objects, with pictures that know their size."""
    for sample in remember(data) if data.kind is Objects else ():
        if isinstance(sample.truth, Objects) and len(sample.truth):
            yield sample, sample.truth


def pixels_of(sample: Sample) -> tuple[int, ...] | None:
    """The size of the picture as far as it is known without decoding."""
    image = sample.images[0] if sample.images else None
    return image.shape if isinstance(image, KnownImage) else None


def tell(
    check: str,
    what: str,
    found: Sequence[tuple[str, int]],
    data: Dataset,
    do: str,
    *,
    severity: str = "warn",
    harm: float = 1.0,
) -> list[Finding]:
    """One finding about so many things in so many pictures; those with the most come first."""
    if not found:
        return []
    count = sum(number for _, number in found)
    shown = sorted(found, key=lambda pair: -pair[1])[:EXAMPLES]
    text = f"{count:,} {what} in {len(found):,} pictures"
    details = tuple(count_of(number, "of them", "of them") for _, number in shown)
    ids = tuple(identity for identity, _ in shown)
    return [Finding(check, severity, text, ids, count, do, details, harm=harm * len(found) / len(data))]
