"""Pascal VOC: boxes with all that is said of them, splits, and XML that may be hostile."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sightline.core.annotations import Objects
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.lost import Lost
from sightline.formats import voc
from tests.formats.rounds import RINGS, edited, only_typed_errors, round_trip, samples, things

DETAILS = (
    {"truncated": True, "difficult": True, "pose": "Left"},
    {"part": [{"name": "head", "bndbox": {"xmin": "1", "xmax": "2"}}, {"name": "hand"}], "actions": {"jumping": "1"}},
    {"occluded": True},
)
TURNED = np.array([[5, 5, 4.4, 2, 0.3], [1, 1, 1, 1, -3], [9, 9, 0, 0, 0]], np.float32)


def everything() -> Dataset:
    data = samples(
        things(details=DETAILS), things(), None, things(boxes=TURNED), things().take([]).__class__(
            np.zeros((0, 4), np.float32), np.zeros(0, np.int64), things().names),
    )  # fmt: skip
    rows = list(data)
    rows[0] = replace(rows[0], split="train", attributes={"source": {"database": "a & b <c>"}, "owner": "é\nx"})
    rows[1] = replace(rows[1], split="test", id="deep/er/1.png")
    rows[2] = replace(rows[2], split="val")
    return Dataset(sorted(rows, key=lambda one: one.id), names=things().names)


def test_all_that_it_holds_comes_back(tmp_path: Path) -> None:
    round_trip(voc, everything(), tmp_path / "new")


def test_a_file_as_the_devkit_writes_it(tmp_path: Path) -> None:
    voc.write(samples(None, None), tmp_path / "new")
    (tmp_path / "new/classes.txt").unlink()
    (tmp_path / "new/Annotations/0.xml").write_text("""<annotation><folder>VOC2012</folder><filename>0.png</filename>
        <source><database>The VOC2012 Database</database></source><segmented>0</segmented>
        <object><name>person</name><pose>Unspecified</pose><truncated>1</truncated><difficult>0</difficult>
        <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3.5</xmax><ymax>4</ymax></bndbox></object></annotation>""")
    (tmp_path / "new/ImageSets/Main").mkdir(parents=True)
    for name, text in (("train", "0\n"), ("val", "1\n\n"), ("trainval", "0\n1\ngone\n"), ("cat_train", "0 -1\n")):
        (tmp_path / f"new/ImageSets/Main/{name}.txt").write_text(text)
    data = open_data(tmp_path / "new")
    assert [(one.id, one.split) for one in data] == [("0.png", "train"), ("1.png", "val"), ("gone.jpg", "train")]
    truth = data[0].truth
    assert isinstance(truth, Objects)
    assert (truth.names, truth.boxes.tolist()) == (("person",), [[1, 2, 3.5, 4]])
    assert truth.details == ({"truncated": True},)
    assert data[0].attributes == {"source": {"database": "The VOC2012 Database"}}
    assert data[1].truth is None, "no XML file is no label"
    with pytest.raises(InputError, match=r"gone.jpg"):
        data[2].pixels()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("<xmin>1</xmin>", ""), "needs a <xmin>"),
        (lambda text: text.replace("<xmin>1<", "<xmin>one<"), "must be a number, not 'one'"),
        (lambda text: text.replace("<xmin>1<", "<xmin>1_0<"), "must be a number"),
        (lambda text: text.replace("<xmin>1<", "<xmin>nan<"), "must be a number"),
        (lambda text: text.replace("<xmin>1<", "<xmin>100<"), "inside out"),
        (lambda text: text.replace("bndbox>", "box>"), "no <bndbox>"),
        (lambda text: text.replace("<truncated>1", "<truncated>yes"), "must be 0 or 1"),
        (lambda text: text.replace("<name>a cat</name>", "", 1), "needs a <name>"),
        (lambda text: text.replace("annotation>", "annotations>"), "begins with <annotations>"),
        (lambda text: text.replace("<object>", "<object><object>", 1), "not XML"),
        (lambda text: text.replace("<annotation>", '<!DOCTYPE a [<!ENTITY b "c">]><annotation>'), "document type"),
        (lambda text: text.replace("<annotation>", '<!DOCTYPE a SYSTEM "/etc/passwd"><annotation>'), "document type"),
        (lambda text: text.replace("a cat", "&cat;", 1), "undefined entity"),
        (lambda text: text.replace("<object>", "<object>" + "<x>" * 50, 1), "too deep"),
        (lambda text: text.replace('"UTF-8"', '"x-nothing"'), "not XML"),
    ],
)
def test_every_fault_names_its_file_and_line(change: Callable[[str], str], why: str, tmp_path: Path) -> None:
    voc.write(everything(), tmp_path / "new")
    file = tmp_path / "new/Annotations/0.xml"
    edited(file, change)
    with pytest.raises(InputError) as caught:
        list(voc.read(tmp_path / "new"))
    assert str(file) in caught.value.message
    assert " line " in caught.value.message or "x-nothing" in caught.value.message
    assert why in caught.value.message


def test_entities_that_grow_are_refused_at_once(tmp_path: Path) -> None:
    voc.write(everything(), tmp_path / "new")
    grown = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<!DOCTYPE a [<!ENTITY l0 "l">{grown}]><annotation><object><name>&l11;</name></object></annotation>'
    (tmp_path / "new/Annotations/0.xml").write_text(text)
    with pytest.raises(InputError, match="document type or an entity"):
        voc.read(tmp_path / "new")


@pytest.mark.parametrize(
    ("line", "why"),
    [("../../etc/passwd", "outside the folder"), ("/etc/passwd", "outside"), ("2", "the side 'val' too")],
)
def test_lists_stay_inside_and_agree(line: str, why: str, tmp_path: Path) -> None:
    voc.write(everything(), tmp_path / "new")
    (tmp_path / "new/ImageSets/Main/test.txt").write_text(f"deep/er/1\n{line}\n")
    with pytest.raises(InputError, match=r"test.txt line 2") as caught:
        voc.read(tmp_path / "new")
    assert why in caught.value.message


def test_a_label_that_changed_after_opening(tmp_path: Path) -> None:
    data = voc.read(voc.write(everything(), tmp_path / "new"))
    edited(tmp_path / "new/Annotations/0.xml", lambda text: text.replace("a cat", "another"))
    with pytest.raises(InputError, match="changed after it was opened"):
        _ = data[0]


def test_what_it_cannot_hold_is_refused_or_listed(tmp_path: Path) -> None:
    truth = things(outlines=RINGS, scores=np.ones(3, np.float32), details=({"id": 3}, {}, {}))
    data = samples(truth, group="g")
    with pytest.raises(InputError, match="cannot hold its group"):
        voc.write(data, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    lost = Lost("voc", strict=False)
    back = voc.read(voc.write(data, tmp_path / "new", lost=lost))
    assert set(lost.counts) == {"group", "outlines", "scores", "'id' of objects"}
    np.testing.assert_array_equal(back[0].truth.boxes, truth.boxes)  # type: ignore[union-attr]
    for bad in ("a\nb", " a", ""):
        with pytest.raises(InputError, match="cannot hold the name"):
            voc.write(samples(things(names=(bad, "b", "c"))), tmp_path / "other")


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    voc.write(everything(), tmp_path / "new")
    assert only_typed_errors(voc, tmp_path / "new", tmp_path / "new/Annotations/0.xml", 0) > 50
    assert only_typed_errors(voc, tmp_path / "new", tmp_path / "new/ImageSets/Main/train.txt", 1, 50) >= 0
