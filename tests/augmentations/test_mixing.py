"""Mixed pictures and the truth about them."""

from typing import Any

import numpy as np
import pytest

from sightline.augmentations import mixing
from sightline.augmentations._union import union
from sightline.core import catalog, geometry
from sightline.core.annotations import Heatmap, Labels, Objects, Regions, Text, Value
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

RNG = np.random.default_rng


def flat(value: int, truth: Any, size: tuple[int, int] = (40, 50), dtype: str = "uint8") -> Sample:
    return Sample(f"v{value}", (ArrayImage(np.full((*size, 3), value, dtype)),), truth)


def mixed(name: str, one: Sample, other: Sample, seed: int, **settings: Any) -> Sample:
    move = catalog.find("augmentations", name)
    answer: Sample = move(one, RNG(seed), others=lambda count: [other] * count, **settings)
    return answer


@pytest.mark.parametrize("name", ["mixup", "cutmix", "mosaic"])
def test_shares_are_those_of_the_pixels(name: str) -> None:
    """Black and white pictures: the mean brightness is the share of the white one."""
    for seed in range(12):
        settings = {} if name == "mosaic" else {"alpha": 1.0}
        got = mixed(name, flat(0, Labels(("cat",))), flat(200, Labels(("dog",)), (20, 30)), seed, **settings)
        truth = got.truth
        assert isinstance(truth, Labels)
        assert got.pixels().shape == (40, 50, 3)
        assert truth.score("cat") + truth.score("dog") == pytest.approx(1, abs=1e-5)
        assert got.pixels().mean() / 200 == pytest.approx(truth.score("dog"), abs=0.01)
        assert truth.best == truth.names[0]


def test_two_of_one_name_are_sure_of_it() -> None:
    got = mixed("mixup", flat(0, Labels(("cat",))), flat(9, Labels(("cat",))), 0).truth
    assert isinstance(got, Labels)
    assert got.names == ("cat",)
    assert got.score("cat") == pytest.approx(1)


def test_shares_of_shares() -> None:
    doubtful = Labels(("cat", "dog"), np.array([0.6, 0.4], np.float32))
    got = mixed("mixup", flat(0, doubtful), flat(100, Labels(("dog",))), 3)
    share = 1 - got.pixels().mean() / 100
    assert isinstance(got.truth, Labels)
    assert got.truth.score("cat") == pytest.approx(0.6 * share, abs=0.01)


def test_numbers_are_mixed_and_nothing_stays_nothing() -> None:
    got = mixed("mixup", flat(0, Value(("age",), np.array([10.0]))), flat(100, Value(("age",), np.array([20.0]))), 1)
    assert isinstance(got.truth, Value)
    assert got.truth.numbers[0] == pytest.approx(10 + 10 * got.pixels().mean() / 100, abs=0.06)
    assert mixed("mixup", flat(0, None), flat(9, None), 0).truth is None


@pytest.mark.parametrize("name", ["mixup", "cutmix", "mosaic"])
def test_what_cannot_be_mixed_is_refused(name: str) -> None:
    for truth, other in ((Text("a"), Text("b")), (Labels(("a",)), None), (Value(("a",), np.ones(1)), Labels(("a",)))):
        with pytest.raises(InputError, match="cannot mix") as caught:
            mixed(name, flat(0, truth), flat(9, other), 0)
        assert caught.value.code == "label"
    for other in (
        flat(9, Labels(("a",)), dtype="uint16"),
        Sample("o", (ArrayImage(np.zeros((9, 9, 1), np.uint8)),), Labels(("a",))),
    ):
        with pytest.raises(InputError, match="one kind"):
            mixed(name, flat(0, Labels(("a",))), other, 0)


@pytest.mark.parametrize("name", ["cutmix", "mosaic"])
def test_maps_are_cut_like_pixels(name: str) -> None:
    names = ("ground", "thing")
    for seed in range(6):
        one, other = (flat(v, Regions(np.full((40, 50), v // 200, np.int64), names)) for v in (0, 200))
        got = mixed(name, one, other, seed)
        np.testing.assert_array_equal(got.pixels()[..., 0] == 200, got.truth.classes == 1)  # type: ignore[union-attr]
        one, other = (flat(v, Heatmap(np.full((40, 50), v / 200, np.float32), v / 200)) for v in (0, 200))
        got = mixed(name, one, other, seed)
        np.testing.assert_array_equal(got.pixels()[..., 0] == 200, got.truth.scores == 1)  # type: ignore[union-attr]


def scene(value: int, box: list[float], name: str, **more: Any) -> Sample:
    """A bright thing on black."""
    pixels = np.zeros((40, 50, 3), np.uint8)
    x0, y0, x1, y1 = map(int, box)
    pixels[y0:y1, x0:x1] = value
    return Sample(name, (ArrayImage(pixels),), Objects(np.array([box], np.float32), np.array([0]), (name,), **more))


def test_a_mosaic_holds_the_things_of_all_where_they_are_seen() -> None:
    one, other = scene(100, [10, 10, 40, 30], "a"), scene(200, [5, 5, 45, 35], "b")
    for seed in range(12):
        got = mixed("mosaic", one, other, seed)
        truth = got.truth
        assert isinstance(truth, Objects)
        assert truth.names == ("a", "b")
        assert 2 <= len(truth) <= 4
        for box, number in zip(truth.boxes, truth.classes, strict=True):
            x0, y0, x1, y1 = np.rint(box).astype(int)
            inside = got.pixels()[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1, 0]
            assert (inside > 0.8 * (100, 200)[number]).mean() > 0.9
            assert (box >= 0).all()
            assert (box <= [50, 40, 50, 40]).all()


def test_pasted_things_cover_what_was_there() -> None:
    first = [10.0, 10.0, 30.0, 30.0]
    mask = geometry.fill([geometry.corners(np.array(first))], (40, 50))[None]
    one = scene(100, first, "a", masks=mask)
    other = scene(200, [20, 5, 40, 35], "b")
    got = mixed("copy_paste", one, other, 0, part=1.0)
    truth = got.truth
    assert isinstance(truth, Objects)
    assert truth.names == ("a", "b")
    assert truth.boxes.tolist() == [[10, 10, 20, 30], [20, 5, 40, 35]]
    assert truth.masks is not None
    assert not (truth.masks[0] & truth.masks[1]).any()
    assert (got.pixels()[truth.masks[0]] == 100).all()
    assert (got.pixels()[10:30, 24:36] == 200).all()
    whole = mixed("copy_paste", scene(100, [24, 10, 36, 30], "a"), other, 0, part=1.0).truth
    assert isinstance(whole, Objects)
    assert whole.classes.tolist() == [1], "covered things are dropped"
    assert mixed("copy_paste", one, other, 0, part=0.0) is one


def test_things_need_things() -> None:
    with pytest.raises(InputError, match="Objects"):
        mixed("copy_paste", flat(0, Labels(("a",))), flat(0, Labels(("a",))), 0)


def test_columns_that_one_side_lacks_are_filled() -> None:
    box = np.array([[0, 0, 4, 4]], np.float32)
    plain = Objects(box, np.array([0]), ("a",))
    rich = Objects(
        box, np.array([0]), ("b",), np.array([0.5], np.float32), np.ones((1, 8, 8), bool),
        np.ones((1, 2, 3), np.float32), np.array([7]), ("word",), (1, 0), ((box.reshape(2, 2),),), ({"id": 1},),
    )  # fmt: skip
    for first, second in ((plain, rich), (rich, plain)):
        both = union(first, second, (8, 8))
        assert len(both) == 2
        assert sorted(both.names[c] for c in both.classes) == ["a", "b"]
        row = 0 if first is plain else 1
        assert both.scores is not None
        assert both.masks is not None
        assert both.keypoints is not None
        assert both.tracks is not None
        assert both.scores[row] == 1
        assert both.masks[row].sum() == 16
        assert both.keypoints[row].sum() == 0
        assert both.tracks[row] == -1
        assert (both.texts[row], both.outlines[row], both.details[row]) == ("", (), {})  # type: ignore[index]
        assert both.mirror == (1, 0)
    turned = Objects(np.ones((1, 5), np.float32), np.array([0]), ("a",))
    with pytest.raises(InputError, match="one kind"):
        union(plain, turned, (8, 8))


def test_own_attributes_are_those_of_the_larger_part() -> None:
    for seed in range(20):
        truth = mixed("mixup", flat(0, Labels(("cat",))), flat(200, Labels(("dog",))), seed, alpha=1.0).truth
        assert isinstance(truth, Labels)
        assert truth.best == "cat"
    assert mixing.mixup.__doc__
