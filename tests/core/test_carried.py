"""Records along warps: what remains, what is cut, what is dropped."""

import numpy as np
import pytest

from sightline.core import geometry, warp
from sightline.core.annotations import Heatmap, Labels, Objects, Regions
from sightline.core.carried import carry, carry_truth, trail
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

SIZE = (60, 80)
L_SHAPE = np.array([[10, 10], [40, 10], [40, 20], [20, 20], [20, 50], [10, 50]], np.float32)
MASK = geometry.fill([L_SHAPE], SIZE)
TURN = np.array([[np.cos(0.5), np.sin(0.5)], [-np.sin(0.5), np.cos(0.5)]])
BOX = np.array([[10, 10, 40, 50]], np.float32)


def things(**more: object) -> Objects:
    return Objects(BOX, np.array([0]), ("a",), **more)  # type: ignore[arg-type]


def test_a_turned_box_is_the_hull_of_what_is_known() -> None:
    turned = warp.about_middle(SIZE, TURN)
    loose = carry_truth(things(), turned)
    masked = carry_truth(things(masks=MASK[None]), turned)
    outlined = carry_truth(things(outlines=((L_SHAPE,),)), turned)
    assert isinstance(loose, Objects)
    assert isinstance(masked, Objects)
    assert isinstance(outlined, Objects)
    corners = turned.points(geometry.corners(BOX[0]))
    np.testing.assert_allclose(
        loose.boxes[0], [*corners.min(0).clip(0), *np.minimum(corners.max(0), (80, 60))], atol=1e-4
    )
    np.testing.assert_allclose(masked.boxes, outlined.boxes, atol=1.0)
    assert geometry.area(masked.boxes)[0] < 0.9 * geometry.area(loose.boxes)[0]
    rows, columns = np.nonzero(masked.masks[0])  # type: ignore[index]
    tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(masked.boxes[0], tight, atol=0.5)
    assert outlined.outlines is not None
    shared = geometry.fill(outlined.outlines[0], SIZE)
    assert (shared ^ masked.masks[0]).sum() < 0.06 * shared.sum()  # type: ignore[index]


def test_a_box_that_is_looser_than_its_mask_stays_loose_where_nothing_turns() -> None:
    wide = Objects(BOX + np.array([-3, -3, 3, 3], np.float32), np.array([0]), ("a",), masks=MASK[None])
    got = carry_truth(wide, warp.flip(SIZE))
    assert isinstance(got, Objects)
    np.testing.assert_allclose(got.boxes, [[37, 7, 73, 53]])


def test_cut_outlines_end_at_the_window() -> None:
    got = carry_truth(things(outlines=((L_SHAPE,),)), warp.window(SIZE, 0, 15, 30, 40), least=0.1)
    assert isinstance(got, Objects)
    assert got.outlines is not None
    (ring,) = got.outlines[0]
    assert ring.min() >= 0
    assert (ring <= (40, 30)).all()
    assert got.boxes.tolist() == [[0, 10, 25, 30]]
    assert geometry.rings_area([ring]) == pytest.approx(25 * 10 + 5 * 10)


@pytest.mark.parametrize("known", ["box", "mask", "outline", "turned"])
def test_less_than_least_is_dropped(known: str) -> None:
    """The window shows the left 5 of 10 columns: half of the thing."""
    box = np.array([[20, 20, 30, 40]], np.float32)
    ring = geometry.corners(box[0]).astype(np.float32)
    more = {
        "box": {},
        "mask": {"masks": geometry.fill([ring], SIZE)[None]},
        "outline": {"outlines": ((ring,),)},
        "turned": {},
    }[known]
    if known == "turned":
        box = np.array([[25, 30, 10, 20, 0.0]], np.float32)
    thing = Objects(box, np.array([0]), ("a",), **more)  # type: ignore[arg-type]
    window = warp.window(SIZE, 0, 0, 60, 26)
    for least, count in ((0.55, 1), (0.65, 0)):
        got = carry_truth(thing, window, least=least)
        assert isinstance(got, Objects)
        assert len(got) == count


def test_smaller_is_not_less() -> None:
    """A thing at half its size is still all there."""
    for more in ({}, {"masks": MASK[None]}, {"outlines": ((L_SHAPE,),)}):
        for factor in (0.5, 1.2):
            got = carry_truth(things(**more), warp.about_middle((60, 80), np.eye(2) * factor), least=0.9)
            assert isinstance(got, Objects)
            assert len(got) == 1


def test_holes_stay_holes() -> None:
    outer, inner = (geometry.corners(np.array(box)).astype(np.float32) for box in ([10, 10, 50, 50], [20, 20, 40, 40]))
    ring = Objects(np.array([[10, 10, 50, 50]], np.float32), np.array([0]), ("a",), outlines=((outer, inner),))
    got = carry_truth(ring, warp.about_middle(SIZE, TURN * 0.6))
    assert isinstance(got, Objects)
    assert got.outlines is not None
    filled = geometry.fill(got.outlines[0], SIZE)
    assert filled.sum() == pytest.approx((1600 - 400) * 0.36, rel=0.03)
    middle = warp.about_middle(SIZE, TURN * 0.6).points(np.array([[30.0, 30.0]]))[0].astype(int)
    assert not filled[middle[1], middle[0]]


@pytest.mark.parametrize("kind", ["turn", "flip", "down", "scale"])
def test_rotated_boxes_stay_the_rectangle_that_they_are(kind: str) -> None:
    moves = {
        "turn": warp.about_middle(SIZE, TURN),
        "flip": warp.flip(SIZE),
        "down": warp.flip(SIZE, down=True),
        "scale": warp.about_middle(SIZE, np.eye(2) * 0.7),
    }
    boxes = np.array([[40, 30, 20, 8, 0.4], [35, 28, 10, 14, -2.5]], np.float64)
    thing = Objects(boxes, np.array([0, 0]), ("a",))
    got = carry_truth(thing, moves[kind])
    assert isinstance(got, Objects)
    for before, after in zip(boxes, got.boxes, strict=True):
        want = moves[kind].points(geometry.corners(before))
        have = geometry.corners(after)
        near = np.abs(want[:, None] - have[None]).sum(-1).min(1)
        assert near.max() < 1e-6
        if kind == "flip":
            assert after[4] == pytest.approx(-before[4]), "left to right an angle becomes its negative"
        sides = 0.7 if kind == "scale" else 1.0
        np.testing.assert_allclose(after[2:4], before[2:4] * sides, atol=1e-6)
    back = carry_truth(got, moves[kind].inverse())
    assert isinstance(back, Objects)
    np.testing.assert_allclose(back.boxes, boxes, atol=1e-6)


def test_maps_outside_are_ground() -> None:
    names = ("thing", "background")
    classes = np.zeros(SIZE, np.int64)
    got = carry_truth(Regions(classes, names), warp.window(SIZE, -10, 0, 80, 80))
    assert isinstance(got, Regions)
    assert (got.classes[:10] == 1).all()
    assert (got.classes[10:70] == 0).all()
    heat = carry_truth(Heatmap(np.ones(SIZE, np.float32), 0.5), warp.window(SIZE, -10, 0, 80, 80))
    assert isinstance(heat, Heatmap)
    assert heat.scores[:10].max() == 0


def test_things_are_not_mirrored_at_the_border_unless_asked() -> None:
    pixels = np.zeros((*SIZE, 1), np.uint8)
    pixels[10:50, 10:40] = 255
    wide = warp.window(SIZE, 0, -30, 60, 140)
    shown = {}
    for name, truth in (("labels", Labels(("a",))), ("things", things())):
        one = carry(Sample("s", (ArrayImage(pixels),), truth), wide)
        shown[name] = int((one.pixels() == 255).sum())
    assert shown["labels"] > shown["things"] == 40 * 30


def test_the_trail_leads_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    one = Sample("s", (ArrayImage(pixels),), things())
    with trail() as warps:
        moved = carry(carry(one, warp.flip(SIZE)), warp.window(SIZE, 0, 0, 55, 79), least=0.0)
    assert len(warps) == 2
    assert isinstance(moved.truth, Objects)
    back: object = moved.truth
    for step in reversed(warps):
        back = carry_truth(back, step.inverse())  # type: ignore[arg-type]
    assert isinstance(back, Objects)
    np.testing.assert_allclose(back.boxes, BOX)
    carry(one, warp.flip(SIZE))
    assert len(warps) == 2, "closed"


def test_a_sample_without_pictures_is_refused() -> None:
    with pytest.raises(InputError, match="no picture"):
        carry(Sample("s"), warp.flip(SIZE))


def test_a_box_that_misses_its_mask_stays_a_box() -> None:
    mask = np.zeros((1, *SIZE), bool)
    mask[0, 50:58, 60:75] = True
    got = carry_truth(things(masks=mask), warp.about_middle(SIZE, TURN), least=0.0)
    assert isinstance(got, Objects)
    assert (got.boxes[:, 2:] > got.boxes[:, :2]).all()
