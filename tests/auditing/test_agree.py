"""Annotators compared: data sets of the same pictures, or one that names who said what."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sightline.auditing.agree import agree
from sightline.core.annotations import Annotation, Labels, Objects, Regions, Text, Value
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import BytesImage, encode
from sightline.core.sample import Sample


def said(name: str, *truths: Annotation | None) -> Dataset:
    """One annotator's view of the same pictures; ids differ between annotators, as they do in folders of classes."""
    return Dataset(
        [
            Sample(f"{name}/{n}", (BytesImage(encode(np.full((6, 7, 1), n, np.uint8))),), truth)
            for n, truth in enumerate(truths)
        ],
        name=name,
    )


def labels(*names: str | None) -> list[Labels | None]:
    return [None if name is None else Labels((name,)) for name in names]


def test_three_annotators_by_pictures() -> None:
    found = agree(
        said("anna", *labels("a", "a", "b", "b", "a", None)),
        said("bert", *labels("a", "a", "b", "b", "b", "a")),
        said("carl", *labels("a", "a", "b", "a", "b", None)),
    )
    assert found.annotators == ("anna", "bert", "carl")
    assert found.items == 5, "a picture that one alone has seen says nothing"
    assert [one.name for one in found.coefficients] == ["Krippendorff's alpha (nominal)", "Fleiss' kappa"]
    assert 0 < found.coefficients[0].value < 1
    assert found.coefficients[0].low < found.coefficients[0].value < found.coefficients[0].high
    assert len(found.pairs) == 3
    assert found.pairs["anna", "bert"] > found.pairs["anna", "carl"]
    assert {one for one, *_ in found.disputed} == {"anna/3", "anna/4"}
    assert "carl a" in found.disputed[0][2]
    assert found.names["a"][0] == 8
    assert [one.truth.best for one in found.consensus] == ["a", "a", "b", "b", "b"]  # type: ignore[union-attr]
    assert found.consensus.names == ("a", "b")


def test_one_data_set_that_names_its_annotators() -> None:
    first, second = said("x", *labels("1", "2", "3", "1")), said("y", *labels("1", "2", "4", "2"))
    both = Dataset(
        [replace(one, attributes={"annotator": who}) for who, side in (("x", first), ("y", second)) for one in side]
    )
    found = agree(both)
    assert found.annotators == ("x", "y")
    assert [one.name for one in found.coefficients][-1] == "Cohen's kappa"
    assert len(found.consensus) == 2, "a tie is for a person to break"
    ordinal = agree(both, level="ordinal")
    assert ordinal.coefficients[0].value > found.coefficients[0].value, "near is nearly right"
    assert agree(both, level="interval").coefficients[0].value > found.coefficients[0].value
    with pytest.raises(InputError, match="is no number"):
        agree(said("x", *labels("a", "b")), said("y", *labels("a", "a")), level="ordinal")


def test_values() -> None:
    def values(*numbers: float) -> list[Value]:
        return [Value(("width",), np.array([number])) for number in numbers]

    found = agree(said("x", *values(1, 2, 3, 4)), said("y", *values(1.1, 2.1, 2.9, 4)))
    assert found.coefficients[0].value > 0.95
    assert found.consensus[1].truth.numbers.tolist() == pytest.approx([2.05])  # type: ignore[union-attr]


def test_class_maps_and_their_consensus() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((6, 7), np.int64)
    truth[1:5, 1:4], truth[1:5, 4:6] = 1, 2

    def drawn(share: float) -> list[Regions]:
        wrong = [rng.random(truth.shape) < share for _ in range(6)]
        return [Regions(np.where(one, rng.integers(0, 3, truth.shape), truth), ("ground", "a", "b")) for one in wrong]

    found = agree(said("x", *drawn(0.1)), said("y", *drawn(0.1)), said("z", *drawn(0.6)))
    assert found.pairs["x", "y"] > max(found.pairs["x", "z"], found.pairs["y", "z"])
    assert found.names["a"][1] > 0.4
    assert [one.name[:15] for one in found.coefficients] == ["mean Dice", *["border distance"] * 2, "share of differ"]
    assert 0 < found.coefficients[1].value < found.coefficients[2].value
    right = np.mean([(one.truth.classes == truth).mean() for one in found.consensus])  # type: ignore[union-attr]
    assert right > 0.88
    other = said("x", *[Regions(np.zeros((3, 3), np.int64), ("ground", "a", "b"))] * 6)
    assert agree(other, said("y", *drawn(0))).coefficients[0].value == 0


def test_objects() -> None:
    def boxes(*corners: tuple[float, ...]) -> Objects:
        return Objects(np.array(corners, np.float32).reshape(-1, 4), np.zeros(len(corners), np.int64), ("a",))

    found = agree(
        said("x", boxes((0, 0, 10, 10), (20, 20, 30, 30)), boxes()),
        said("y", boxes((1, 0, 11, 10)), boxes()),
        said("z", boxes((0, 1, 10, 11), (50, 50, 60, 60)), boxes((1, 1, 9, 9))),
    )
    assert found.pairs["x", "y"] == pytest.approx((2 / 3 + 1) / 2)
    agreed = found.consensus[0].truth
    assert isinstance(agreed, Objects)
    assert agreed.boxes.tolist() == [pytest.approx([1 / 3, 1 / 3, 31 / 3, 31 / 3])]
    assert len(found.consensus[1].truth) == 0  # type: ignore[arg-type]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match="none of them shared"):
        agree(said("x", *labels("a")))
    with pytest.raises(InputError, match="not of text"):
        agree(said("x", Text("a")), said("y", Text("b")))
    with pytest.raises(InputError, match="level 'loud'"):
        agree(said("x", *labels("a")), said("y", *labels("a")), level="loud")


def test_folders_of_two_annotators(tmp_path: Path) -> None:
    for who, wrong in (("anna", ()), ("bert", (3,))):
        for n in range(12):
            name = ("good", "bad")[(n + (n in wrong)) % 2]
            (tmp_path / who / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / who / name / f"{n}.png").write_bytes(encode(np.full((8, 8, 1), n, np.uint8)))
    found = agree(tmp_path / "anna", str(tmp_path / "bert"))
    assert found.items == 12
    assert found.coefficients[0].value == pytest.approx(0.84, abs=0.02)
    assert [one for one, *_ in found.disputed] == ["bad/3.png"]


def test_masks_of_the_same_thing_tell_how_far_their_borders_lie() -> None:
    def thing(right: int) -> Objects:
        mask = np.zeros((1, 20, 20), bool)
        mask[0, 4:16, 4:right] = True
        return Objects(np.array([[4.0, 4, right, 16]]), np.zeros(1, np.int64), ("a",), masks=mask)

    found = agree(said("x", thing(14), thing(14)), said("y", thing(15), thing(14)))
    distance = next(one for one in found.coefficients if one.name.startswith("border distance in pixels, mean"))
    assert 0 < distance.value < 0.5
    assert found.coefficients[-1].value == 1.0
