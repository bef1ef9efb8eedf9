"""Every check: silent on clean data, finds its planted fault, takes any kind of data."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Labels, Objects, Picture, Regions, Text
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.finding import SEVERITIES, Finding
from sightline.core.image import BytesImage, encode
from sightline.core.known import remember
from sightline.core.sample import Sample
from sightline.formats._later import later

CHECKS = catalog.names("checks")


SIZE = (48, 64)  # rows and columns of a clean picture


def picture(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A scene of sharp rectangles in many colours, with a little noise: nothing about it is odd."""
    rng = np.random.default_rng(seed)
    pixels = np.full((*size, 3), rng.integers(90, 160, 3), np.float32)
    for _ in range(30):
        y, x = rng.integers(0, size[0] - 8), rng.integers(0, size[1] - 8)
        pixels[y : y + rng.integers(4, 24), x : x + rng.integers(4, 24)] = rng.integers(30, 220, 3)
    return np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8)


@cache
def stored(seed: int) -> BytesImage:
    return BytesImage(encode(picture(seed)))


def clean(count: int = 40) -> list[Sample]:
    """Two names, all pictures different, whole and readable, one group a sample, two sides."""
    return [
        Sample(
            f"{n}",
            (stored(n),),
            Labels((("good", "bad")[n % 2],)),
            group=f"g{n}",
            split=("train", "val")[n // 20 % 2],
            attributes={"camera": f"{n // 2 % 2}"},
        )
        for n in range(count)
    ]


def shown(change: Callable[[np.ndarray], np.ndarray], *rows: int) -> Callable[[], list[Sample]]:
    """Clean data in which the pixels of some pictures are changed."""

    def made() -> list[Sample]:
        samples = clean()
        for row in rows or (3,):
            pixels = np.ascontiguousarray(change(picture(row)))
            samples[row] = replace(samples[row], images=(BytesImage(encode(pixels)),))
        return samples

    return made


def blur(pixels: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(pixels, (0, 0), 4)


def packed(pixels: np.ndarray) -> np.ndarray:
    large = cv2.resize(pixels, (256, 192), interpolation=cv2.INTER_CUBIC)
    return cv2.imdecode(cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 5])[1], cv2.IMREAD_COLOR)


def lamp(pixels: np.ndarray) -> np.ndarray:
    pixels[10:34, 10:44] = 255
    return pixels


def things(**columns: object) -> Callable[[], list[Sample]]:
    """Clean data with one thing a picture; that of sample 3 has these columns instead."""

    def made() -> list[Sample]:
        masks = np.zeros((1, *SIZE), bool)
        masks[0, 10:20, 10:20] = True
        rest = Objects(
            np.array([[10, 10, 20, 20]], np.float32),
            np.array([0]),
            ("a",),
            masks=masks,
            keypoints=np.array([[[12, 12, 2], [70, -5, 0]]], np.float32),
            outlines=((np.array([[10, 10], [20, 10], [20, 20], [15, 12], [10, 20]], np.float32),),),
        )
        wrong = replace(rest, **columns)  # type: ignore[arg-type]
        return [replace(one, truth=wrong if n == 3 else rest) for n, one in enumerate(clean())]

    return made


def mapped(classes: np.ndarray) -> Callable[[], list[Sample]]:
    def made() -> list[Sample]:
        rest = Regions(np.zeros(SIZE, np.int64), ("a",))
        return [replace(one, truth=Regions(classes, ("a",)) if n == 3 else rest) for n, one in enumerate(clean())]

    return made


def told(tell: Callable[[int, Sample], Sample]) -> Callable[[], list[Sample]]:
    return lambda: [tell(n, one) for n, one in enumerate(clean())]


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


def mirrored(row: int, source: int) -> Callable[[], list[Sample]]:
    def made() -> list[Sample]:
        samples = clean()
        pixels = np.ascontiguousarray(samples[source].pixels()[:, ::-1])
        samples[row] = replace(samples[row], images=(BytesImage(encode(pixels)),))
        return samples

    return made


def paired(row: int, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[], list[Sample]]:
    """Pictures beside a clean one that is a row further down; the clean one of one sample is changed."""

    def made() -> list[Sample]:
        clean_ones = [np.roll(picture(n), 1, 0) for n in range(40)]
        clean_ones[row] = np.ascontiguousarray(change(clean_ones[row]))
        return [replace(one, truth=Picture(pixels)) for one, pixels in zip(clean(), clean_ones, strict=True)]

    return made


def unreadable_map() -> list[Sample]:
    def read() -> Regions:
        raise InputError("truncated", "cut short")

    rest = Regions(np.zeros(SIZE, np.int64), ("a",))
    return [replace(one, truth=later(Regions, read, names=("a",)) if n == 3 else rest) for n, one in enumerate(clean())]


WHOLE = encode(np.random.default_rng(0).integers(0, 256, (30, 30, 3)).astype(np.uint8))
PLANTED: dict[str, list[tuple[Callable[[], list[Sample]], int, str]]] = {
    "unreadable": [
        (with_(3, images=(BytesImage(b""),)), 1, "1 unreadable (1 empty)"),
        (with_(3, images=(BytesImage(b"text"),)), 1, "1 unreadable (1 unknown_format)"),
        (with_(3, images=(BytesImage(WHOLE[:900]),)), 1, "1 unreadable (1 truncated)"),
        (with_(3, images=(*clean()[3].images, BytesImage(b"text"))), 1, "1 unreadable"),
    ],
    "duplicates": [(copied(3, 1), 1, "1 exact duplicate")],
    "near_duplicates": [(mirrored(3, 1), 1, "1 near duplicate")],
    "conflicts": [
        (copied(4, 1), 2, "2 equal pictures with different labels"),
        (mirrored(4, 1), 2, "2 near duplicates with different labels"),
    ],
    "leaks": [
        (copied(30, 0), 1, "1 equal pictures on two sides"),
        (mirrored(30, 0), 1, "1 near duplicates on two sides"),
        (with_(30, group="g1"), 1, "1 groups on two sides"),
    ],
    "imbalance": [
        (lambda: [*clean(40), replace(clean(1)[0], truth=Labels(("rare",)))], 1, "20 times as frequent as 'rare'")
    ],
    "tiny_classes": [(with_(3, truth=Labels(("rare",))), 1, "fewer than 10 examples of rare 1")],
    "boxes_outside": [
        (lambda: boxed((1, 1, 66, 5)), 1, "1 boxes that reach outside the picture in 1 pictures"),
        (lambda: boxed((1, -4, 3, 5)), 1, "1 boxes that reach outside"),
    ],
    "empty_boxes": [
        (lambda: boxed((3, 3, 3, 5)), 1, "1 boxes without an inside"),
        (lambda: boxed((5, 3, 1, 4)), 1, "1 boxes without an inside"),
    ],
    "tiny_boxes": [(lambda: boxed((3, 3, 5, 30)), 1, "1 boxes less than 3 pixels across")],
    "twin_boxes": [
        (
            things(
                boxes=np.array([[10, 10, 60, 40], [10, 10, 60, 40.5], [1, 1, 9, 9]], np.float32),
                classes=np.zeros(3, np.int64),
                masks=None,
                keypoints=None,
                outlines=None,
            ),
            1,
            "1 boxes on top of another of the same name",
        )
    ],
    "empty_masks": [(things(masks=np.zeros((1, *SIZE), bool)), 1, "1 masks without a pixel")],
    "masks_beside_boxes": [
        (things(boxes=np.array([[10, 10, 40, 40]], np.float32)), 1, "1 masks that disagree with their box")
    ],
    "keypoints_outside": [
        (things(keypoints=np.array([[[70, 12, 2], [1, 1, 0]]], np.float32)), 1, "1 keypoints outside the picture")
    ],
    "crossed_outlines": [
        (
            things(masks=None, outlines=((np.array([[10, 10], [20, 20], [20, 10], [10, 20]], np.float32),),)),
            1,
            "1 outlines that cross themselves",
        )
    ],
    "maps_of_another_size": [(mapped(np.zeros((64, 48), np.int64)), 1, "1 class maps of another size")],
    "nameless": [
        (mapped(np.full(SIZE, 255)), 1, "values without a name in 1 picture: 255"),
        (things(classes=np.array([-1])), 1, "values without a name in 1 picture: -1"),
    ],
    "odd_names": [
        (
            lambda: [replace(one, truth=Labels((("good", "Good ")[n % 2],))) for n, one in enumerate(clean())],
            2,
            "in two",
        ),
        (lambda: [replace(one, truth=Labels((("good", "")[n % 2],))) for n, one in enumerate(clean())], 1, "oddly"),
    ],
    "dark": [(shown(lambda pixels: pixels // 12), 1, "1 picture too dark")],
    "overexposed": [(shown(lambda pixels: np.maximum(pixels, 253)), 1, "1 picture overexposed")],
    "glare": [(shown(lamp), 1, "1 picture with areas of plain white")],
    "low_information": [(shown(lambda pixels: np.full_like(pixels, 99)), 1, "1 picture with next to nothing")],
    "blurred": [(shown(blur), 1, "1 picture blurred"), (shown(blur, *range(40)), 39, "(98%); if they are all made")],
    "noisy": [
        (
            shown(lambda p: np.clip(p + np.random.default_rng(0).normal(0, 40, p.shape), 0, 255).astype(np.uint8)),
            1,
            "1 picture with strong noise",
        )
    ],
    "blocky": [(shown(packed), 1, "1 picture packed so hard that blocks show")],
    "odd_sizes": [(shown(lambda pixels: np.tile(pixels, (4, 4, 1))), 1, "1 picture of a size unlike the others")],
    "odd_shapes": [(shown(lambda pixels: np.tile(pixels, (1, 3, 1))), 1, "1 picture of a shape unlike the others")],
    "outliers": [(shown(lambda pixels: pixels * np.uint8([1, 0, 0])), 1, "1 picture unlike all others")],
    "mixed_colour": [
        (shown(lambda pixels: np.repeat(pixels[..., :1], 3, 2)), 1, "1 picture gray among coloured ones"),
        (shown(lambda pixels: pixels[..., :1]), 1, "1 picture gray among coloured ones"),
        (shown(lambda pixels: pixels[..., :1], *range(39)), 1, "1 picture coloured among gray ones"),
    ],
    "mixed_depths": [
        (shown(lambda pixels: pixels.astype(np.uint16)), 1, "(gray or colour of 8 bits 39, 3 channels of 16 bits 1)"),
        (shown(lambda pixels: np.tile(pixels, (1, 1, 2))[..., :5]), 1, "5 channels of 8 bits 1"),
    ],
    "attributes_tell_labels": [
        (
            told(lambda n, one: replace(one, attributes={"camera": str(n % 2 if n > 4 else 0), "year": n})),
            1,
            "'camera' tells the label",
        )
    ],
    "quality_tells_labels": [
        (shown(lambda pixels: pixels[:40], *range(0, 40, 2)), 1, "one number of a picture: rows (100%"),
    ],
    "equal_pairs": [(paired(4, lambda pixels: np.roll(pixels, -1, 0)), 1, "1 of 20 pairs looked at hold the same")],
    "pair_sizes": [
        (paired(4, lambda pixels: pixels[:40]), 1, "1 of 20 pairs looked at differ in size"),
        (paired(4, lambda pixels: np.tile(pixels, (2, 2, 1))), 1, "1 of 20 pairs looked at differ in size"),
    ],
    "unreadable_truths": [
        (unreadable_map, 1, "1 of 40 class maps looked at cannot be read (1 truncated); cut short"),
    ],
    "unlearnt": [
        (with_(30, truth=Labels(("new",))), 1, "1 name on no picture to learn from, only on held-out ones: new 1"),
    ],
    "uneven_groups": [
        (told(lambda n, one: replace(one, group="g0" if n < 25 else f"g{n}")), 25, "group 'g0' holds 62% of the"),
    ],
    "attributes_on_both_sides": [
        (
            told(lambda n, one: replace(one, group=None, attributes={"patient": f"p{n % 20}"})),
            20,
            "20 of 20 values of 'patient' on two sides",
        )
    ],
}


def test_every_check_has_a_planted_fault() -> None:
    assert sorted(PLANTED) == CHECKS


@pytest.mark.parametrize("name", CHECKS)
def test_clean_data_is_met_with_silence(name: str) -> None:
    check = catalog.find("checks", name)
    assert check(Dataset(clean())) == []
    assert check(Dataset(boxed((1, 1, 64, 48)))) == [], "a box may touch the edge"
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
    turned = Objects(np.array([[9, 9, 8, 6, 0.5]], np.float32), np.array([0]), ("a",))
    none = Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ("a",))
    for truth in (None, Text("a"), Regions(np.zeros(SIZE, np.int64), ("a",)), turned, none):
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
    assert check(data)[0].ids == check(data)[0].leave == ("x",)
    paired = Dataset([replace(one, images=(stored(1), BytesImage(stream.getvalue()[:-200]))) for one in clean(1)])
    assert check(paired)[0].count == 1


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


def test_one_attribute_among_many_is_named() -> None:
    check = catalog.find("checks", "attributes_tell_labels")
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 3, (40, 12)).astype(str)
    samples = [
        replace(one, attributes={f"noise {n}": row[n] for n in range(12)} | {"camera": str(place % 2)})
        for place, (one, row) in enumerate(zip(clean(), noise, strict=True))
    ]
    (finding,) = check(Dataset(samples))
    assert finding.text.startswith("'camera' tells the label (Cramér's V 1.00): 100% of '")
    assert finding.count == 1
    assert check(Dataset([replace(one, attributes={**one.attributes, "camera": "1"}) for one in samples])) == []


def test_equal_pictures_but_one() -> None:
    same = [replace(one, images=(stored(1),)) for one in clean()]
    same[7] = replace(same[7], images=(stored(2),))
    (finding,) = catalog.find("checks", "outliers")(Dataset(same))
    assert finding.ids == ("7",)


@pytest.mark.parametrize("name", CHECKS)
def test_a_label_whose_file_cannot_be_read_stops_no_check(name: str) -> None:
    found = catalog.find("checks", name)(Dataset(unreadable_map()))
    assert [one.ids for one in found] == ([("3",)] if name == "unreadable_truths" else [])
