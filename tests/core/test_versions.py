"""Two versions of a data set: every way in which they can differ is counted, and nothing else is."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import sightline
from sightline.core.annotations import Labels, Objects
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage, BytesImage
from sightline.core.sample import Sample
from sightline.core.versions import diff


def picture(value: int) -> ArrayImage:
    return ArrayImage(np.full((2, 2, 1), value, np.uint16))


BASE = [
    Sample(f"{n}", (picture(n),), Labels(("ab"[n % 2],)), group="g", split="train", attributes={"n": n})
    for n in range(6)
]
BOX = Objects(np.array([[0, 0, 1, 1]], np.float32), np.array([0]), ("a", "b"))


def changed(row: int, **changes: Any) -> list[Sample]:
    return [replace(one, **changes) if n == row else one for n, one in enumerate(BASE)]


@pytest.mark.parametrize(
    ("after", "ways", "line"),
    [
        (BASE, {}, "6 samples: nothing differs"),
        (BASE[::-1], {}, "6 samples: nothing differs"),
        (BASE[:4], {"removed": ("4", "5")}, "6 -> 4 samples: 2 removed"),
        ([*BASE, Sample("9", (picture(9),))], {"added": ("9",)}, "6 -> 7 samples: 1 added"),
        (changed(2, id="two"), {"renamed": ("2 -> two",)}, "6 samples: 1 renamed"),
        (
            changed(2, id="two", images=(picture(7),)),
            {"added": ("two",), "removed": ("2",)},
            "6 samples: 1 added, 1 removed",
        ),
        (changed(2, images=(picture(7),)), {"changed": ("2",)}, "6 samples: 1 with other pixels"),
        (changed(2, images=(*BASE[2].images, picture(7))), {"changed": ("2",)}, "6 samples: 1 with other pixels"),
        (changed(3, truth=Labels(("a",))), {"relabelled": ("3",)}, "6 samples: 1 with other labels"),
        (changed(3, truth=None), {"relabelled": ("3",)}, "6 samples: 1 with other labels"),
        (changed(3, split="val"), {"moved": ("3: train -> val",)}, "6 samples: 1 on another side"),
        (changed(3, group="h"), {"regrouped": ("3",)}, "6 samples: 1 in another group"),
    ],
)
def test_every_way_to_differ(after: list[Sample], ways: dict[str, tuple[str, ...]], line: str) -> None:
    found = diff(Dataset(BASE), Dataset(after))
    assert found.examples == ways
    assert {way for way, count in found.counts.items() if count} == set(ways)
    assert found.line == line
    assert found.equal is (not ways)
    assert found.to_json()["line"] == line


def test_labels_are_compared_to_the_last_bit() -> None:
    first, second = Sample("1", truth=BOX), Sample("1", truth=replace(BOX, boxes=BOX.boxes + np.float32(1e-6)))
    assert diff(Dataset([first]), Dataset([first])).equal
    assert diff(Dataset([first]), Dataset([second])).counts["relabelled"] == 1
    orders = [Dataset([Sample("1", truth=Labels(names))]) for names in (("a", "b"), ("b", "a"))]
    assert diff(*orders).equal


def test_names_that_came_and_went() -> None:
    found = sightline.diff(Dataset(BASE, names=("a", "b")), Dataset(BASE, names=("b", "c", "d")))
    assert (found.names_added, found.names_removed, found.equal) == (("c", "d"), ("a",), False)
    assert found.line == "6 samples: names added: c, d, names removed: a"


def test_many_are_counted_and_few_are_shown() -> None:
    found = diff(Dataset([]), Dataset([Sample(f"{n}", (picture(n),)) for n in range(100)]))
    assert found.counts["added"] == 100
    assert len(found.examples["added"]) == 20


def test_without_pictures_none_is_opened() -> None:
    class Closed(BytesImage):
        def encoded(self) -> bytes:
            raise AssertionError

        read = fingerprint = encoded  # type: ignore[assignment]

    one = Dataset([replace(BASE[0], images=(Closed(b""),))])
    other = Dataset([replace(BASE[0], id="other", images=(Closed(b""),))])
    found = diff(one, other, pictures=False)
    assert found.line == "1 samples: 1 added, 1 removed (pictures were not compared)"


def test_pictures_that_are_not_there_are_not_renamed() -> None:
    lost = [Dataset([Sample(name, (BytesImage(b""),))]) for name in ("old", "new")]
    assert diff(*lost).counts["renamed"] == 0
    with pytest.raises(InputError, match="ids that are there twice"):
        diff(Dataset(BASE), Dataset([BASE[0], BASE[0]]))
