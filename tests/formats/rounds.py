"""What the tests of label layouts share: things to write, a strict comparison, and damaged copies of a label file."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Objects, to_columns
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SightlineError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

BOXES = np.array([[1, 2, 9.3, 14.7], [0.1, 0.2, 30, 20], [5.55, 6.66, 5.55, 19.99]], np.float32)
RINGS = (
    (np.array([[1, 2], [9.3, 2], [9.3, 14.7]], np.float32),),
    (np.array([[0.1, 0.2], [30, 0.2], [30, 20], [0.1, 20]], np.float32),),
    (np.array([[5.55, 6.66], [5.55, 19.99], [5.55, 10]], np.float32),),
)
MASKS = np.zeros((3, 24, 32), bool)
MASKS[0, 2:9, 3:8], MASKS[1, 5, 6], MASKS[2, 20:, 28:], MASKS[2, 1, 1] = True, True, True, True


def picture(seed: int) -> ArrayImage:
    return ArrayImage(np.random.default_rng(seed).integers(0, 256, (24, 32, 3)).astype(np.uint8))


def things(**columns: Any) -> Objects:
    """Three things of two classes, the vocabulary of which is not sorted."""
    given: dict[str, Any] = {"boxes": BOXES, "classes": np.array([1, 0, 1]), "names": ("dog", "a cat", "never seen")}
    return Objects(**{**given, **columns})


def samples(*truths: Any, **more: Any) -> Dataset:
    """One sample a truth; each is a picture of its own."""
    return Dataset([Sample(f"{n}.png", (picture(n),), truth, **more) for n, truth in enumerate(truths)])


def same(first: Dataset, second: Dataset) -> None:
    """Equal in everything, bit by bit."""
    assert len(first) == len(second)
    assert first.details == second.details
    for one, other in zip(first, second, strict=True):
        assert (one.id, one.group, one.split) == (other.id, other.group, other.split)
        assert (dict(one.given), dict(one.attributes)) == (dict(other.given), dict(other.attributes))
        assert [image.read().tobytes() for image in one.images] == [image.read().tobytes() for image in other.images]
        assert (one.truth is None) == (other.truth is None), one.id
        if one.truth is None or other.truth is None:
            continue
        mine, theirs = to_columns(one.truth), to_columns(other.truth)
        assert mine.keys() == theirs.keys(), one.id
        for name, column in mine.items():
            assert column.dtype == theirs[name].dtype, name
            np.testing.assert_array_equal(column, theirs[name], err_msg=name)


def round_trip(part: Any, data: Dataset, path: Path) -> Dataset:
    """What a layout makes of a data set; it is found again by looking, and is the same."""
    part.write(data, path)
    assert part.sniff(path).strength == 2
    back = open_data(path)
    same(data, back)
    return back


def damaged(good: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Copies of a label file with a few bytes changed, cut out, doubled or put elsewhere."""
    rng = np.random.default_rng(seed)
    pieces = [
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b"-1",
        b"1e999",
        b"NaN",
        b"null",
        b"\xff",
        b"\0",
        b"<",
        b">",
        b"99999",
    ]
    for _ in range(count):
        data = bytearray(good)
        for _ in range(int(rng.integers(1, 4))):
            place, length = int(rng.integers(len(data) + 1)), int(rng.integers(1, 12))
            match int(rng.integers(5)):
                case 0:
                    data[place : place + 1] = bytes([int(rng.integers(256))])
                case 1:
                    del data[place : place + length]
                case 2:
                    data[place:place] = data[place : place + length * 4]
                case 3:
                    data[place : place + 1] = pieces[int(rng.integers(len(pieces)))]
                case _:
                    data[:] = data[:place] if rng.random() < 0.2 else data
        yield bytes(data)


def only_typed_errors(part: Any, path: Path, file: Path, seed: int, count: int = 250) -> int:
    """Read damaged copies of one label file: an answer, or one of our errors that names a file; counts the errors."""
    good, told = file.read_bytes(), list[SightlineError]()
    for bad in damaged(good, seed, count):
        file.write_bytes(bad)
        try:
            part.sniff(path)
            list(part.read(path))
        except SightlineError as error:
            told.append(error)
    file.write_bytes(good)
    assert [error for error in told if not isinstance(error, InputError)] == []
    assert [error.message for error in told if str(path) not in error.message] == []
    return len(told)


def edited(file: Path, change: Callable[[str], str]) -> None:
    """A label file after somebody has been at it."""
    text = file.read_text()
    new = change(text)
    assert new != text, "the edit missed"
    file.write_text(new)


__all__ = ["BOXES", "MASKS", "RINGS", "damaged", "edited", "only_typed_errors", "picture", "replace", "round_trip"]
