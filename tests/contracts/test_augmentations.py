"""Every augmentation: seeded, depth kept, the input untouched, and truth still lies on what it is the truth of."""

import copy
import inspect
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Annotation, Heatmap, Labels, Objects, Picture, Regions, Text, Value
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

AUGMENTATIONS = catalog.names("augmentations")
ROWS, COLUMNS = 48, 64
SEEDS = range(8)
SETTINGS: dict[str, dict[str, Any]] = {"crop": {"size": (30, 40), "least": 0.0}, "zoom": {"least": 0.0}}


def mark() -> np.ndarray:
    """A dark ground with one bright rectangle, off the middle on both axes."""
    pixels = np.zeros((ROWS, COLUMNS, 1), np.uint8)
    pixels[15:28, 19:37] = 255
    return pixels


def moved(name: str, sample: Sample, seed: int, **settings: Any) -> Sample:
    move = catalog.find("augmentations", name)
    more: dict[str, Any] = {}
    if "others" in inspect.signature(move).parameters:
        more["others"] = lambda count: [sample] * count
    answer: Sample = move(sample, np.random.default_rng(seed), **{**SETTINGS.get(name, {}), **settings}, **more)
    return answer


def bytes_of(record: Annotation | None) -> list[Any]:
    if record is None:
        return []
    values = [getattr(record, field.name) for field in fields(record)]
    return [value.tobytes() if isinstance(value, np.ndarray) else value for value in values]


def content(sample: Sample) -> list[Any]:
    return [*(image.read().tobytes() for image in sample.images), *bytes_of(sample.truth)]


def bright(pixels: np.ndarray) -> np.ndarray:
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1.0
    return pixels[..., 0] > top / 2


MARK = bright(mark())
BOX = np.array([[19, 15, 37, 28]], np.float32)
POINTS = np.array([[[19, 15, 2], [37, 15, 2], [37, 28, 2], [19, 28, 2]]], np.float32)
THING = Objects(BOX, np.array([0]), ("mark",), None, MARK[None], POINTS, np.array([3]), ("word",), mirror=(1, 0, 3, 2))
TURNED = Objects(np.array([[28, 21.5, 18, 13, 0.4]], np.float32), np.array([0]), ("mark",))
TRUTHS: list[Annotation | None] = [
    None,
    Labels(("good",)),
    Value(("x",), np.ones(1)),
    Text("word"),
    THING,
    TURNED,
    THING.take([]),
    Regions(MARK.astype(np.int64), ("ground", "mark")),
    Heatmap(MARK.astype(np.float32), 0.5),
    Picture(mark()),
]
PIXELS = {
    "uint8": mark(),
    "uint16": mark().astype(np.uint16) * 257,
    "float32": mark().astype(np.float32) / 255,
    "colour": mark().repeat(3, 2),
    "five channels": mark().repeat(5, 2).astype(np.uint16) * 257,
}


def sample(pixels: np.ndarray, truth: Annotation | None = None, images: int = 2) -> Sample:
    return Sample(
        "s", tuple(ArrayImage(pixels.copy(), f"{n}") for n in range(images)), truth, {"word": 1}, "g", "train", {"a": 1}
    )


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: type(truth).__name__)
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_chance_is_seeded_and_the_input_is_untouched(name: str, truth: Annotation | None) -> None:
    one = sample(mark(), truth)
    before = content(one)
    kept = copy.deepcopy(truth)
    answers = [content(moved(name, one, seed)) for seed in SEEDS]
    assert [content(moved(name, one, seed)) for seed in SEEDS] == answers
    assert content(one) == before
    assert bytes_of(truth) == bytes_of(kept)
    assert len({repr(answer) for answer in answers}) > 1, "chance has no say"


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("pixels", PIXELS.values(), ids=PIXELS)
def test_depth_channels_and_everything_else_are_kept(name: str, pixels: np.ndarray) -> None:
    for seed in SEEDS:
        one = sample(pixels, Labels(("good",)))
        answer = moved(name, one, seed)
        for image, source in zip(answer.images, one.images, strict=True):
            assert image.read().dtype == pixels.dtype
            assert image.read().ndim == pixels.ndim
            assert image.read().shape[-1] == pixels.shape[-1]
            assert image.name == source.name
        assert (answer.id, answer.group, answer.split) == ("s", "g", "train")
        assert (answer.given, answer.attributes) == (one.given, one.attributes)
        assert answer.truth is not None


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_picture_moves_alike(name: str) -> None:
    """Also volumes, slice by slice."""
    for seed in SEEDS:
        first, second = (bright(image.read()) for image in moved(name, sample(mark()), seed).images)
        np.testing.assert_array_equal(first, second)
        volume = np.stack([mark(), mark()])
        one = moved(name, sample(volume, Regions(bright(volume).astype(np.int64), ("ground", "mark"))), seed)
        assert one.pixels().ndim == 4
        np.testing.assert_array_equal(bright(one.pixels()), one.truth.classes == 1)  # type: ignore[union-attr]
        np.testing.assert_array_equal(bright(one.pixels())[0], bright(one.pixels())[1])


@pytest.mark.parametrize("pixels", PIXELS.values(), ids=PIXELS)
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_truth_lies_on_the_mark(name: str, pixels: np.ndarray) -> None:
    for seed in SEEDS:
        regions = moved(name, sample(pixels, TRUTHS[7]), seed)
        seen = bright(regions.pixels())
        np.testing.assert_array_equal(regions.truth.classes == 1, seen)  # type: ignore[union-attr]
        heat = moved(name, sample(pixels, TRUTHS[8]), seed)
        np.testing.assert_array_equal(heat.truth.scores > 0.5, seen)  # type: ignore[union-attr]
        target = moved(name, sample(pixels, TRUTHS[9]), seed)
        np.testing.assert_array_equal(bright(target.truth.pixels), seen)  # type: ignore[union-attr]
        thing = moved(name, sample(pixels, THING), seed)
        truth = thing.truth
        np.testing.assert_array_equal(bright(thing.pixels()), seen)
        assert isinstance(truth, Objects)
        if not len(truth):
            assert not seen.any()
            continue
        np.testing.assert_array_equal(truth.masks[0], seen)  # type: ignore[index]
        rows, columns = np.nonzero(seen)
        tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert truth.boxes.tolist() == [tight]
        assert (truth.texts, truth.tracks.tolist(), truth.names) == (("word",), [3], ("mark",))  # type: ignore[union-attr]
        check_points(truth.keypoints[0], seen)  # type: ignore[index]


def check_points(points: np.ndarray, seen: np.ndarray) -> None:
    """Upper left is still upper left; a corner that was cut off is absent."""
    height, width = seen.shape
    for (x, y, visible), (right, below) in zip(points, [(0, 0), (1, 0), (1, 1), (0, 1)], strict=True):
        inside = 0 <= x <= width and 0 <= y <= height
        assert visible == (2 if inside else 0)
        near_x, near_y = int(x) - right, int(y) - below
        if inside and 0 <= near_x < width and 0 <= near_y < height:
            assert seen[near_y, near_x], "the corner's own pixel is bright"
            away_x, away_y = near_x + (1 if right else -1), near_y + (1 if below else -1)
            if 0 <= away_x < width:
                assert not seen[near_y, away_x]
            if 0 <= away_y < height:
                assert not seen[away_y, near_x]


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_no_objects_stay_no_objects(name: str) -> None:
    for seed in SEEDS:
        truth = moved(name, sample(mark(), THING.take([])), seed).truth
        assert isinstance(truth, Objects)
        assert len(truth) == 0
        assert truth.boxes.shape == (0, 4)
        assert truth.keypoints is not None
        assert truth.keypoints.shape == (0, 4, 3)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_labels_that_have_no_place_stay(name: str) -> None:
    for truth in TRUTHS[:4]:
        assert moved(name, sample(mark(), truth), 1).truth is truth


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_picture_of_one_pixel_survives(name: str) -> None:
    for seed in SEEDS:
        answer = moved(name, Sample("s", (ArrayImage(np.full((1, 1, 3), 9, np.uint8)),)), seed)
        assert answer.pixels().shape == (1, 1, 3)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_it_says_in_a_line_what_it_does(name: str) -> None:
    move = catalog.find("augmentations", name)
    assert catalog.describe("augmentations")[name]
    given = list(inspect.signature(move).parameters.values())
    assert [one.name for one in given[:2]] == ["sample", "rng"]
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in given[2:])
    assert all(one.default is not inspect.Parameter.empty for one in given[2:] if one.name != "others")
    assert replace(sample(mark()), id="x").id == "x"
