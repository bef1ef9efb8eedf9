"""Every augmentation: seeded, depth kept, the input untouched, and truth still lies on what it is the truth of.

What an entry does is found out, not declared: one that carries samples along warps is held to them, one that mixes is
given others, one that does neither must leave the truth alone or only drop what it hid.
"""

import copy
import inspect
from dataclasses import fields, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Annotation, Heatmap, Labels, Objects, Picture, Regions, Text, Value
from sightline.core.carried import trail
from sightline.core.errors import INPUT_CODES, InputError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.core.warp import Warp

AUGMENTATIONS = catalog.names("augmentations")
ROWS, COLUMNS = 48, 64
SEEDS = range(8)
SETTINGS: dict[str, dict[str, Any]] = {"crop": {"size": (30, 40)}}


def mark() -> np.ndarray:
    """A dark ground with one bright rectangle, off the middle on both axes."""
    pixels = np.zeros((ROWS, COLUMNS, 1), np.uint8)
    pixels[15:28, 19:37] = 255
    return pixels


def scene(dtype: str = "uint8", channels: int = 3) -> np.ndarray:
    """Colourful texture, darker than the mark on it."""
    rng = np.random.default_rng(7)
    values = rng.random((ROWS // 4, COLUMNS // 4, channels)).repeat(4, 0).repeat(4, 1) * 0.4
    values = np.where(mark() > 0, 0.75 + values / 2, values)
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    return (values * top).astype(dtype)


def negative(pixels: np.ndarray) -> np.ndarray:
    """Upside down, with black for white."""
    return ~pixels[::-1] if pixels.dtype.kind == "u" else 1 - pixels[::-1]


def moved(name: str, sample: Sample, seed: int, **settings: Any) -> Sample:
    """What the entry makes of a sample; samples to mix with are its negative, upside down."""
    move = catalog.find("augmentations", name)
    more: dict[str, Any] = {}
    known = inspect.signature(move).parameters
    if "others" in known:
        images = tuple(ArrayImage(negative(image.read()), image.name) for image in sample.images)
        other = replace(sample, images=images)
        more["others"] = lambda count: [replace(other, id=f"o{n}") for n in range(count)]
    if "least" in known:
        settings = {"least": 0.0, **settings}
    answer: Sample = move(sample, np.random.default_rng(seed), **{**SETTINGS.get(name, {}), **settings}, **more)
    return answer


def moved_or_refused(name: str, sample: Sample, seed: int) -> Sample | None:
    """None for a refusal, which must be one typed line."""
    try:
        return moved(name, sample, seed)
    except InputError as error:
        refused = error
    assert refused.code in INPUT_CODES
    assert sample.id in refused.message or refused.code == "label"
    return None


def bytes_of(record: Any) -> list[Any]:
    if record is None:
        return []
    values = [getattr(record, field.name) for field in fields(record)]
    return [flat(value) for value in values]


def flat(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    return tuple(map(flat, value)) if isinstance(value, tuple) else value


def content(sample: Sample) -> list[Any]:
    return [*(flat(image.read()) for image in sample.images), *bytes_of(sample.truth)]


def bright(pixels: np.ndarray) -> np.ndarray:
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1.0
    return pixels[..., 0] > top / 2


MARK = bright(mark())
BOX = np.array([[19, 15, 37, 28]], np.float32)
RING = np.array([[19, 15], [37, 15], [37, 28], [19, 28]], np.float32)
POINTS = np.array([[[19, 15, 2], [37, 15, 2], [37, 28, 2], [19, 28, 2]]], np.float32)
THING = Objects(
    BOX, np.array([0]), ("mark",), None, MARK[None], POINTS, np.array([3]), ("word",), (1, 0, 3, 2),
    ((RING,),), ({"id": 5},),
)  # fmt: skip
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
REGIONS, HEATMAP, PICTURE = TRUTHS[7:]
PIXELS = [(dtype, channels) for dtype in ("uint8", "uint16", "float32") for channels in (1, 3, 5)]


def sample(pixels: np.ndarray, truth: Annotation | None = None, images: int = 2) -> Sample:
    return Sample(
        "s", tuple(ArrayImage(pixels.copy(), f"{n}") for n in range(images)), truth, {"word": 1}, "g", "train", {"a": 1}
    )


def walked(name: str, one: Sample, seed: int) -> tuple[Sample, list[Warp]]:
    with trail() as warps:
        return moved(name, one, seed), list(warps)


@cache
def kind(name: str) -> str:
    """mixes, moves (and changes no value), both (moves and changes), or changes."""
    if "others" in inspect.signature(catalog.find("augmentations", name)).parameters:
        return "mixes"
    steady = np.full((ROWS, COLUMNS, 3), 90, np.uint8)
    runs = [walked(name, sample(steady), seed) for seed in range(20)]
    if not any(warps for _, warps in runs):
        return "changes"
    return "moves" if all((answer.pixels() == 90).all() for answer, _ in runs) else "both"


WALKERS = [name for name in AUGMENTATIONS if kind(name) in ("moves", "both")]


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_chance_is_seeded_and_the_input_is_untouched(name: str) -> None:
    for truth in TRUTHS:
        one = sample(scene(), truth)
        before = content(one)
        kept = copy.deepcopy(truth)
        answers = [described(name, one, seed) for seed in SEEDS]
        assert [described(name, one, seed) for seed in SEEDS[:3]] == answers[:3]
        assert content(one) == before
        assert bytes_of(truth) == bytes_of(kept)
        if None in answers:
            assert set(answers) == {None}, "refused always or never"
        elif kind(name) != "mixes" or not isinstance(truth, Objects) or len(truth):
            assert len(set(answers)) > 1, "chance has no say"


def described(name: str, one: Sample, seed: int) -> str | None:
    answer = moved_or_refused(name, one, seed)
    return None if answer is None else repr(content(answer))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_depth_channels_and_everything_else_are_kept(name: str) -> None:
    for dtype, channels in PIXELS:
        pixels = scene(dtype, channels)
        for truth in (Labels(("good",)), THING):
            for seed in SEEDS[:4]:
                one = sample(pixels, truth)
                answer = moved_or_refused(name, one, seed)
                if answer is None:
                    assert channels == 5 or kind(name) == "mixes", "pictures of one and of three channels are welcome"
                    continue
                for image, source in zip(answer.images, one.images, strict=True):
                    assert image.read().dtype == pixels.dtype
                    assert image.read().ndim == pixels.ndim
                    assert image.read().shape[-1] == channels
                    assert image.name == source.name
                assert (answer.id, answer.group, answer.split) == ("s", "g", "train")
                assert (answer.given, answer.attributes) == (one.given, one.attributes)
                assert type(answer.truth) is type(truth)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_depths_look_alike(name: str) -> None:
    """The same chance does the same to eight bits, sixteen bits and floats."""
    for seed in SEEDS[:4]:
        truth = THING if kind(name) == "mixes" and moved_or_refused(name, sample(scene()), seed) is None else None
        eight = moved(name, sample(scene(), truth), seed).pixels() / 255
        for dtype, top in (("uint16", 65535), ("float32", 1)):
            deep = moved(name, sample(scene(dtype), truth), seed).pixels() / top
            assert deep.shape == eight.shape
            if "noise" not in name and name != "low_light":  # each depth has its own way to be noisy
                assert np.abs(deep - eight).mean() < 0.03
            assert abs(deep.mean() - eight.mean()) < 0.012


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if kind(name) != "mixes"])
def test_floats_keep_their_own_range_and_gaps_spoil_little(name: str) -> None:
    """Heights, counts and Hounsfield units are floats too, and have places where nothing was measured."""
    scan = np.linspace(3000, -1000, ROWS * COLUMNS * 3, dtype=np.float32).reshape(ROWS, COLUMNS, 3)
    holes = np.where(np.random.default_rng(0).random((ROWS, COLUMNS, 1)) < 0.01, np.float32(np.nan), scan)
    for seed in SEEDS[:4]:
        got = moved(name, sample(scan), seed).pixels()
        assert np.isfinite(got).all()
        assert -1001 <= got.min() <= got.max() <= 3001
        assert got.std() > 90
        assert np.isnan(moved(name, sample(holes), seed).pixels()).mean() < 0.9


@pytest.mark.parametrize("name", WALKERS)
def test_every_picture_moves_alike(name: str) -> None:
    """Also volumes, slice by slice."""
    for seed in SEEDS:
        first, second = (image.read() for image in moved(name, sample(mark()), seed).images)
        np.testing.assert_array_equal(first, second)
        volume = np.stack([mark(), mark()])
        classes = bright(volume).astype(np.int64)
        one = moved(name, sample(volume, Regions(classes, ("ground", "mark"))), seed)
        assert one.pixels().ndim == 4
        assert one.truth.classes.shape == one.pixels().shape[:-1]  # type: ignore[union-attr]
        np.testing.assert_array_equal(one.pixels()[0], one.pixels()[1])


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Equal, but for half pixels along the edge."""
    import cv2

    wide = np.ones((3, 3), np.uint8)
    grown = [cv2.dilate(each.astype(np.uint8), wide) > 0 for each in (one, other)]
    return one.shape == other.shape and not (one & ~grown[1]).any() and not (other & ~grown[0]).any()


@pytest.mark.parametrize("name", WALKERS)
def test_truth_lies_on_the_mark(name: str) -> None:
    for dtype, seed in product(("uint8", "float32"), SEEDS):
        whole = (mark() / (255 if dtype == "float32" else 1)).astype(dtype)
        target, warps = walked(name, sample(whole, Picture(mark())), seed)
        seen = bright(target.truth.pixels)  # type: ignore[union-attr]
        if kind(name) == "moves":
            assert alike(bright(target.pixels()), seen)
        regions = moved(name, sample(whole, REGIONS), seed)
        assert alike(regions.truth.classes == 1, seen)  # type: ignore[union-attr]
        heat = moved(name, sample(whole, HEATMAP), seed)
        assert alike(heat.truth.scores > 0.5, seen)  # type: ignore[union-attr]
        thing = moved(name, sample(whole, THING), seed)
        truth = thing.truth
        assert isinstance(truth, Objects)
        seen = MARK.copy()[..., None].astype(np.uint8) * 255  # things are not mirrored at the border
        for warp in warps:
            seen = warp.pixels(seen, fill=0)
        seen = bright(seen)
        if kind(name) == "moves":
            assert alike(bright(thing.pixels()), seen)
        if not len(truth):
            assert seen.sum() < 6
            continue
        assert truth.masks is not None
        assert alike(truth.masks[0], seen)
        check_thing(truth, truth.masks[0])


def check_thing(truth: Objects, seen: np.ndarray) -> None:
    """Box, outline, keypoints and the rest belong to the mask."""
    assert (truth.texts, truth.tracks.tolist(), truth.names) == (("word",), [3], ("mark",))  # type: ignore[union-attr]
    assert truth.details == ({"id": 5},)
    height, width = seen.shape
    (x0, y0, x1, y1) = truth.boxes[0]
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    rows, columns = np.nonzero(seen)
    if len(rows) > 8:
        tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(truth.boxes[0], tight, atol=1.01)
    assert truth.outlines is not None
    assert alike(truth.take([0]).shapes((height, width))[0], seen)
    outlined = replace(truth, masks=None)
    assert alike(outlined.shapes((height, width))[0], seen)
    assert truth.keypoints is not None
    for x, y, visible in truth.keypoints[0]:
        inside = 0 <= x <= width and 0 <= y <= height
        assert visible == (2 if inside else 0)
        if inside:
            near = seen[max(0, int(y) - 2) : int(y) + 2, max(0, int(x) - 2) : int(x) + 2]
            assert near.any(), "a corner lies on the thing"
            assert not near.all() or not 2 < x < width - 2 or not 2 < y < height - 2, "and at its edge"


@pytest.mark.parametrize("name", WALKERS)
def test_what_moved_can_be_moved_back(name: str) -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform([0.5, 0.5], [COLUMNS - 0.5, ROWS - 0.5], (40, 2))
    for seed in SEEDS:
        answer, warps = walked(name, sample(scene(), THING), seed)
        there = places
        for warp in warps:
            there = warp.points(there)
        back = there
        for warp in reversed(warps):
            back = warp.inverse().points(back)
        np.testing.assert_allclose(back, places, atol=1e-3)
        if len(answer.truth) and len(warps) == 1:  # type: ignore[arg-type]
            order = [1, 0, 3, 2] if warps[0].mirrors else [0, 1, 2, 3]
            corners = warps[0].points(RING.astype(np.float64))[order]
            np.testing.assert_allclose(answer.truth.keypoints[0, :, :2], corners, atol=1e-3)  # type: ignore[union-attr]
        size = answer.pixels().shape[:2]
        assert size == (warps[-1].size if warps else (ROWS, COLUMNS))


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if kind(name) == "changes"])
def test_what_only_changes_values_leaves_the_truth_alone(name: str) -> None:
    for seed in SEEDS:
        for truth in TRUTHS:
            answer = moved(name, sample(scene(), truth), seed)
            assert answer.pixels().shape == scene().shape
            if isinstance(truth, Objects) and answer.truth is not truth:
                assert isinstance(answer.truth, Objects)
                assert len(answer.truth) <= len(truth), "hidden things may be dropped"
                assert set(map(tuple, answer.truth.boxes.tolist())) <= set(map(tuple, truth.boxes.tolist()))
            else:
                assert answer.truth is truth


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_no_objects_stay_no_objects(name: str) -> None:
    for seed in SEEDS[:4]:
        got = moved_or_refused(name, sample(scene(), THING.take([])), seed)
        if got is not None:
            assert isinstance(got.truth, Objects)
            assert len(got.truth) == 0
            assert got.truth.boxes.shape == (0, 4)
            assert got.truth.keypoints is not None
            assert got.truth.keypoints.shape == (0, 4, 3)


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if kind(name) != "mixes"])
def test_labels_that_have_no_place_stay(name: str) -> None:
    for truth in TRUTHS[:4]:
        assert moved(name, sample(scene(), truth), 1).truth is truth


@pytest.mark.parametrize("name", WALKERS)
def test_keypoints_without_twins_are_refused_where_sides_change(name: str) -> None:
    lost = replace(THING, mirror=None)
    for seed in SEEDS:
        _, warps = walked(name, sample(scene(), THING), seed)
        if any(warp.mirrors for warp in warps):
            with pytest.raises(InputError, match="mirror"):
                moved(name, sample(scene(), lost), seed)
        else:
            moved(name, sample(scene(), lost), seed)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_tiny_pictures_survive(name: str) -> None:
    truth = Labels(("a",)) if kind(name) == "mixes" else None
    for size in ((1, 1), (1, 9), (2, 2), (7, 3)):
        for seed in SEEDS[:4]:
            one = Sample("s", (ArrayImage(np.full((*size, 3), 9, np.uint8)),), truth)
            got = moved_or_refused(name, one, seed)
            assert got is None or 0 not in got.pixels().shape


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_it_says_in_a_line_what_it_does(name: str) -> None:
    move = catalog.find("augmentations", name)
    assert catalog.describe("augmentations")[name].endswith((".", ";", ",", ")"))
    given = list(inspect.signature(move).parameters.values())
    assert [one.name for one in given[:2]] == ["sample", "rng"]
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in given[2:])
    assert all(one.default is not inspect.Parameter.empty for one in given[2:] if one.name != "others")
