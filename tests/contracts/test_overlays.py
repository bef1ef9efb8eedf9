"""What every overlay promises; a new one is found by itself, and asked for an example of its record."""

from collections.abc import Callable

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import (
    KINDS,
    Annotation,
    Heatmap,
    Labels,
    Objects,
    Picture,
    Regions,
    Text,
    Value,
    Vector,
)

ROWS, COLUMNS = 160, 220
PATCH = (slice(40, 90), slice(50, 120))  # where the examples with a place lie


def _map(value: float) -> np.ndarray:
    scores = np.zeros((ROWS, COLUMNS), np.float32)
    scores[PATCH] = value
    return scores


def _objects() -> Objects:
    mask = _map(1)[None] > 0
    points = np.array([[[60, 50, 2], [80, 60, 1], [0, 0, 0]]], np.float32)
    box = np.array([[50, 40, 120, 90]], np.float32)
    return Objects(box, np.array([0]), ("cat",), np.array([0.9], np.float32), mask, points, np.array([7]), ("hello",))


NO_BOXES = Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ("cat",), np.zeros(0, np.float32))
EXAMPLES: dict[str, Annotation] = {
    "labels": Labels(("cat", "dog"), np.array([0.8, 0.2])),
    "value": Value(("age",), np.array([3.0]), np.array([2.0]), np.array([4.0])),
    "objects": _objects(),
    "regions": Regions(_map(1).astype(np.int64), ("background", "cat")),
    "heatmap": Heatmap(_map(0.9), 0.9),
    "picture": Picture(np.full((ROWS, COLUMNS, 3), 99, np.uint8)),
    "text": Text("a cat on a mat", 0.7),
    "vector": Vector(np.linspace(-1, 1, 40)),
}
EMPTY: dict[str, Annotation] = {
    "labels": Labels(()),
    "value": Value((), np.zeros(0)),
    "objects": NO_BOXES,
    "regions": Regions(np.zeros((ROWS, COLUMNS), np.int64), ("background",)),
    "heatmap": Heatmap(np.zeros((ROWS, COLUMNS), np.float32)),
    "picture": Picture(np.zeros((1, 1, 1), np.uint8)),
    "text": Text(""),
    "vector": Vector(np.zeros(0, np.float32)),
}
BELOW = {"labels", "value", "heatmap", "text", "vector"}  # add a strip under the picture
BESIDE = {"picture"}  # add the answer to the right
NAMES = catalog.names("overlays")


def _picture(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (ROWS, COLUMNS, channels)).astype(np.uint8)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    assert request.param in EXAMPLES, f"add an example and an empty record for '{request.param}'"
    return str(request.param)


@pytest.fixture
def draw(name: str) -> Callable[..., np.ndarray]:
    return catalog.find("overlays", name)  # type: ignore[no-any-return]


def test_every_record_can_be_drawn() -> None:
    assert set(KINDS) <= set(NAMES)


@pytest.mark.parametrize("which", [EXAMPLES, EMPTY], ids=["example", "empty"])
def test_the_input_is_left_alone_and_the_output_is_a_colour_picture(
    name: str, draw: Callable[..., np.ndarray], which: dict[str, Annotation]
) -> None:
    picture = _picture()
    before = picture.copy()
    picture.setflags(write=False)
    drawn = draw(picture, which[name])
    assert (picture == before).all()
    assert not np.shares_memory(drawn, picture)
    assert drawn.dtype == np.uint8
    rows, columns, channels = drawn.shape
    assert channels == 3
    assert rows > ROWS if name in BELOW else rows == ROWS
    assert columns > COLUMNS if name in BESIDE else columns == COLUMNS


def test_only_the_place_of_the_annotation_changes(name: str, draw: Callable[..., np.ndarray]) -> None:
    picture = _picture()
    drawn = draw(picture, EXAMPLES[name])[:ROWS, :COLUMNS]
    changed = (drawn != picture).any(-1)
    if name in ("objects", "regions", "heatmap"):
        assert changed[PATCH].mean() > 0.5, "something is drawn where the annotation is"
        changed[PATCH] = False
    if name == "objects":
        changed[20:40, 50:] = False  # its tag stands on its upper edge
    assert not changed.any()


def test_nothing_is_drawn_on_the_picture_for_an_empty_annotation(name: str, draw: Callable[..., np.ndarray]) -> None:
    picture = _picture()
    assert (draw(picture, EMPTY[name])[:ROWS, :COLUMNS] == picture).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_depth_and_number_of_channels_is_shown(
    name: str, draw: Callable[..., np.ndarray], dtype: type, channels: int
) -> None:
    top = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
    picture = (_picture(channels) / 255 * top).astype(dtype)
    drawn = draw(picture, EXAMPLES[name])
    assert drawn.dtype == np.uint8
    assert drawn.shape[2] == 3
    corner = drawn[100:ROWS, 130:COLUMNS]
    assert np.ptp(corner) > 200, "the full range of the depth is seen"


def test_a_tiny_picture_is_no_trouble(name: str, draw: Callable[..., np.ndarray]) -> None:
    tiny = {
        "objects": Objects(np.array([[1, 1, 6, 6]], np.float32), np.array([0]), ("cat",), np.array([0.9])),
        "regions": Regions(np.ones((8, 8), np.int64), ("background", "cat")),
        "heatmap": Heatmap(np.ones((8, 8), np.float32), 1.0),
    }
    drawn = draw(np.zeros((8, 8, 1), np.uint8), tiny.get(name, EXAMPLES[name]))
    assert drawn.shape[1] >= 8


def test_the_same_is_drawn_twice(name: str, draw: Callable[..., np.ndarray]) -> None:
    assert (draw(_picture(), EXAMPLES[name]) == draw(_picture(), EXAMPLES[name])).all()
