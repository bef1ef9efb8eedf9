"""Every check: silent on clean data, finds its planted fault, takes any kind of data."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Labels, Objects, Regions, Text
from sightline.core.dataset import Dataset
from sightline.core.finding import SEVERITIES, Finding
from sightline.core.image import BytesImage, encode
from sightline.core.known import remember
from sightline.core.sample import Sample

CHECKS = catalog.names("checks")


def clean(count: int = 40) -> list[Sample]:
    """Two names, all pictures different, whole and readable, one group a sample, two sides."""
    return [
        Sample(
            f"{n}",
            (BytesImage(encode(np.full((8, 9, 3), n, np.uint8))),),
            Labels((("good", "bad")[n % 2],)),
            group=f"g{n}",
            split=("train", "val")[n // 20 % 2],
        )
        for n in range(count)
    ]


def boxed(box: tuple[float, ...]) -> list[Sample]:
    rest = Objects(np.array([[1, 1, 5, 5]], np.float32), np.array([0]), ("a",))
    wrong = replace(rest, boxes=np.array([box], np.float32))
    return [replace(one, truth=wrong if n == 3 else rest) for n, one in enumerate(clean())]


def with_(row: int, **changes: object) -> Callable[[], list[Sample]]:
    def made() -> list[Sample]:
        samples = clean()
        samples[row] = replace(samples[row], **changes)  # type: ignore[arg-type]
        return samples

    return made


def copied(row: int, source: int, **changes: object) -> Callable[[], list[Sample]]:
    def made() -> list[Sample]:
        samples = clean()
        samples[row] = replace(samples[row], images=samples[source].images, **changes)  # type: ignore[arg-type]
        return samples

    return made


WHOLE = encode(np.random.default_rng(0).integers(0, 256, (30, 30, 3)).astype(np.uint8))
PLANTED: dict[str, list[tuple[Callable[[], list[Sample]], int, str]]] = {
    "unreadable": [
        (with_(3, images=(BytesImage(b""),)), 1, "1 unreadable (1 empty)"),
        (with_(3, images=(BytesImage(b"text"),)), 1, "1 unreadable (1 unknown_format)"),
        (with_(3, images=(BytesImage(WHOLE[:900]),)), 1, "1 unreadable (1 truncated)"),
        (with_(3, images=(*clean()[3].images, BytesImage(b"text"))), 1, "1 unreadable"),
    ],
    "duplicates": [(copied(3, 1), 1, "1 exact duplicate")],
    "conflicts": [(copied(4, 1), 2, "2 equal pictures with different labels")],
    "leaks": [
        (copied(30, 0), 1, "1 equal pictures on two sides"),
        (with_(30, group="g1"), 1, "1 groups on two sides"),
    ],
    "imbalance": [
        (lambda: [*clean(40), replace(clean(1)[0], truth=Labels(("rare",)))], 1, "20 times as frequent as 'rare'")
    ],
    "tiny_classes": [(with_(3, truth=Labels(("rare",))), 1, "fewer than 10 examples of rare 1")],
    "boxes_outside": [
        (lambda: boxed((1, 1, 11, 5)), 1, "1 boxes that reach outside the picture in 1 pictures"),
        (lambda: boxed((1, -4, 3, 5)), 1, "1 boxes that reach outside"),
    ],
    "empty_boxes": [
        (lambda: boxed((3, 3, 3, 5)), 1, "1 boxes without an inside"),
        (lambda: boxed((5, 3, 1, 4)), 1, "1 boxes without an inside"),
    ],
}


def test_every_check_has_a_planted_fault() -> None:
    assert sorted(PLANTED) == CHECKS


@pytest.mark.parametrize("name", CHECKS)
def test_clean_data_is_met_with_silence(name: str) -> None:
    check = catalog.find("checks", name)
    assert check(Dataset(clean())) == []
    assert check(Dataset(boxed((1, 1, 9, 8)))) == [], "a box may touch the edge"
    assert check(Dataset([])) == []


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("wrap", [lambda data: data, remember], ids=["plain", "remembered"])
def test_the_planted_fault_is_found(name: str, wrap: Callable[[Dataset], Dataset]) -> None:
    for make, count, text in PLANTED[name]:
        found = catalog.find("checks", name)(wrap(Dataset(make())))
        assert len(found) == 1
        (finding,) = found
        assert isinstance(finding, Finding)
        assert (finding.check, finding.count) == (name, count)
        assert finding.severity in SEVERITIES
        assert text in finding.text
        assert "\n" not in finding.text
        assert set(finding.ids) <= {one.id for one in clean(41)}


@pytest.mark.parametrize("name", CHECKS)
def test_any_kind_of_data_is_taken(name: str, tmp_path: Path) -> None:
    check = catalog.find("checks", name)
    turned = Objects(np.array([[3, 3, 4, 2, 0.5]], np.float32), np.array([0]), ("a",))
    none = Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ("a",))
    for truth in (None, Text("a"), Regions(np.zeros((8, 9), np.int64), ("a",)), turned, none):
        samples = [replace(one, truth=truth) for one in clean()]
        assert [one for one in check(Dataset(samples)) if one.check != "tiny_classes"] == []
        assert check(Dataset([Sample(str(n), truth=truth) for n in range(3)])) is not None


def test_empty_rotated_boxes_are_found() -> None:
    flat = Objects(np.array([[3, 3, 0, 2, 0.5]], np.float32), np.array([0]), ("a",))
    (finding,) = catalog.find("checks", "empty_boxes")(Dataset([replace(one, truth=flat) for one in clean(1)]))
    assert finding.count == 1


def test_decoding_everything_finds_what_headers_hide() -> None:
    check = catalog.find("checks", "unreadable")
    import io

    from PIL import Image as Pillow

    stream = io.BytesIO()
    Pillow.fromarray(np.random.default_rng(0).integers(0, 256, (30, 30, 3)).astype(np.uint8)).save(stream, "BMP")
    data = Dataset([*clean(), Sample("x", (BytesImage(stream.getvalue()[:-200]),))])
    assert check(data) == []
    assert check(data, whole=True)[0].ids == ("x",)


def test_files_that_are_not_there_are_no_copies(tmp_path: Path) -> None:
    from sightline.core.image import FileImage

    data = Dataset([Sample(str(n), (FileImage(tmp_path / f"{n}.png"),), Labels(("a",))) for n in range(3)])
    assert catalog.find("checks", "duplicates")(data) == []
    (finding,) = catalog.find("checks", "unreadable")(data)
    assert (finding.severity, finding.count) == ("stop", 3)


def test_many_copies_are_worse_than_few() -> None:
    check = catalog.find("checks", "duplicates")
    assert check(Dataset([*clean(), clean()[0]]))[0].severity == "note"
    (finding,) = check(Dataset(clean(4) * 2))
    assert (finding.severity, finding.text) == ("warn", "4 exact duplicates")


def test_conflicts_of_records() -> None:
    check = catalog.find("checks", "conflicts")
    first = Objects(np.array([[1, 1, 5, 5]], np.float32), np.array([0]), ("a",))
    other = replace(first, boxes=first.boxes + 1)
    picture = clean(1)[0]
    assert check(Dataset([replace(picture, truth=first)] * 2)) == []
    assert len(check(Dataset([replace(picture, truth=first), replace(picture, truth=other)]))) == 1
    assert len(check(Dataset([replace(picture, truth=first), replace(picture, truth=None)]))) == 1
    orders = [replace(picture, truth=Labels(names)) for names in (("a", "b"), ("b", "a"))]
    assert check(Dataset(orders)) == []


def test_many_tiny_classes_are_summed_up() -> None:
    (finding,) = catalog.find("checks", "tiny_classes")(
        Dataset(
            [replace(one, truth=Labels((f"n{n}",))) for n, one in enumerate(clean(8))],
            names=(*(f"n{n}" for n in range(8)), "none"),
        )
    )
    assert "none 0" in finding.text
    assert "and 4 more" in finding.text
