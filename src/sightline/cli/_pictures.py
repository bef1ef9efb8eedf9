"""The pictures that a user names: files, folders, patterns, and what sources draw or find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sightline.core import catalog
from sightline.core.errors import InputError
from sightline.core.sample import Sample


def asked(words: tuple[str, ...], failed: list[tuple[str, InputError]], count: int = 0) -> Iterator[Sample]:
    """Every picture that the words stand for, with the name that a user knows it by; what is not there is listed."""
    for index in range(count):
        yield Sample(f"request-{index}")
    for word in words:
        scheme, colon, rest = word.partition(":")
        if colon and scheme in catalog.names("sources"):
            yield from (replace(sample, truth=None) for sample in catalog.find("sources", scheme).read(rest))
            continue
        try:
            found = catalog.find("formats", "pictures").read(Path(word))
        except InputError as error:
            failed.append((word, error))
            continue
        if not len(found):
            failed.append((word, InputError("missing", f"{word}: no picture is there.")))
        for sample in found:
            yield replace(sample, id=sample.image.name) if Path(word).is_dir() else sample
