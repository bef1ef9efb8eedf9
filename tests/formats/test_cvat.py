"""CVAT: shapes, masks, skeletons, tags and tracks, in one XML file that may be large or hostile."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core.annotations import Labels, Objects
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import encode
from sightline.core.lost import Lost
from sightline.formats import cvat
from tests.formats.rounds import BOXES, MASKS, RINGS, edited, only_typed_errors, round_trip, samples, things

TURNED = np.array([[5, 5, 4.4, 2, 0.3], [10.7, 1, 12, 0.5, -3.1], [9, 9, 0, 0, 0]], np.float32)
POINTS = np.array([[[1, 2, 2], [0.1, 0.2, 1]], [[0, 0, 0], [9.99, 3, 2]], [[0, 0, 0], [5, 4.5, 0]]], np.float32)
AROUND = np.array([[0.1, 0.2, 1, 2], [9.99, 3, 9.99, 3], [0, 0, 5, 4.5]], np.float32)
DETAILS: tuple[dict[str, Any], ...] = (
    {"occluded": True, "attributes": {"make": 'a "b" <c>', "year": "1999"}, "group": 3, "z_order": -2},
    {"source": "auto", "shape": "ellipse", "my_key": "x"},
    {"shape": "polyline", "points": [[5.5, 6.5], [7.25, 19.0]]},
)
LINED = np.array([BOXES[0], [1, 2, 8, 4], [5.5, 6.5, 7.25, 19]], np.float32)


def everything() -> Dataset:
    data = samples(
        things(details=DETAILS, boxes=LINED), things(outlines=(RINGS[0], (), RINGS[2]), boxes=BOXES),
        things(boxes=TURNED),
        things(masks=MASKS[:1].repeat(3, 0), boxes=np.array([[3, 2, 8, 9], [0, 0, 32, 24], [2, 2, 8, 10]], np.float32)),
        things(keypoints=POINTS, boxes=AROUND, mirror=(1, 0)),
        Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), things().names),
        None,
    )  # fmt: skip
    rows = [replace(one, split="train", id=f"train/{one.id}") if n % 2 else one for n, one in enumerate(data)]
    rows[0] = replace(rows[0], attributes={"id": 99, "tags": {"sunny": {}, "dog": {"how": "much"}}, "site": "a b"})
    told = {
        "labels": {"dog": {"color": "#ff0000", "attributes": {"attribute": {"name": "x", "mutable": "True"}}}},
        "keypoints": {name: ["left ear", "right ear"] for name in ("dog", "a cat")},
    }
    names = (*things().names, "sunny")
    rows = [one if one.truth is None else replace(one, truth=replace(one.truth, names=names)) for one in rows]
    return Dataset(rows, names=names, details=told)


def test_all_that_it_holds_comes_back(tmp_path: Path) -> None:
    round_trip(cvat, everything(), tmp_path / "new")


def test_tags_alone_are_labels(tmp_path: Path) -> None:
    data = samples(Labels(("a", "c")), Labels(()), Labels(("b",)), None)
    rows = list(data)
    rows[0] = replace(rows[0], attributes={"tags": {"c": {"sure": "no"}}})
    back = round_trip(cvat, Dataset(rows, names=("c", "b", "a")), tmp_path / "new")
    assert (back.kind, back.names) == (Labels, ("c", "b", "a"))


def page(folder: Path, *body: str, meta: str = "", pictures: int = 2) -> Path:
    (folder / "images").mkdir(parents=True)
    for n in range(pictures):
        (folder / f"images/{n}.png").write_bytes(encode(np.full((9, 8, 3), n, np.uint8)))
    text = "\n".join(["<annotations>", "<version>1.1</version>", f"<meta>{meta}</meta>", *body, "</annotations>"])
    (folder / "annotations.xml").write_text(f'<?xml version="1.0" encoding="utf-8"?>\n{text}')
    return folder


def image(*shapes: str, name: str = "0.png") -> str:
    return "\n".join([f'<image id="0" name="{name}" width="8" height="9">', *shapes, "</image>"])


def test_shapes_as_the_tool_writes_them(tmp_path: Path) -> None:
    rest = 'source="manual" occluded="0" z_order="0"'
    mask = f'<mask label="b" {rest} rle="1, 2, 1" left="3" top="1" width="2" height="2"/>'
    bones = (
        '<skeleton label="person" source="manual" z_order="0">'
        '<points label="2" outside="0" occluded="1" points="3.00,4.50"/>'
        '<points label="1" outside="1" occluded="0" points="1.00,1.00"/></skeleton>'
    )
    meta = "<task><labels><label><name>b</name><color>#fff</color></label>"
    meta += "<label><name>person</name><type>skeleton</type></label>"
    meta += "".join(f"<label><name>{n}</name><type>points</type><parent>person</parent></label>" for n in (1, 2))
    box = f'<box label="a" {rest} xtl="1.50" ytl="2.00" xbr="3.50" ybr="4.00" rotation="350.0"/>'
    data = open_data(page(tmp_path / "new", image(mask, bones, box), meta=meta + "</labels></task>"))
    truth = data[0].truth
    assert isinstance(truth, Objects)
    assert truth.names == ("b", "person", "a")
    assert truth.boxes[0].tolist() == [4, 2, 2, 2, 0]
    np.testing.assert_allclose(truth.boxes[2], [2.5, 3, 2, 2, np.radians(-10)], rtol=1e-6)
    assert truth.keypoints is not None
    assert truth.keypoints[1].tolist() == [[1, 1, 0], [3, 4.5, 1]]
    assert np.argwhere(truth.shapes((9, 8))[0]).tolist() == [[1, 4], [2, 3]]
    assert data.details == {"labels": {"b": {"color": "#fff"}}, "keypoints": {"person": ["1", "2"]}}
    assert data[1].truth is None


def test_tracks_go_through_the_pictures_in_order(tmp_path: Path) -> None:
    shape = '<box frame="{}" outside="{}" occluded="0" keyframe="1" xtl="{}" ytl="1" xbr="5" ybr="6" z_order="0"></box>'
    rows = [
        f'<track id="{n}" label="{"ab"[n]}">{shape.format(0, 0, n)}{shape.format(1, n, n + 1)}</track>'
        for n in range(2)
    ]
    data = open_data(page(tmp_path / "new", *rows, pictures=3))
    assert [one.truth.tracks.tolist() if len(one.truth) else [] for one in data] == [[0, 1], [0], []]  # type: ignore[union-attr,arg-type]
    assert data[1].truth.boxes.tolist() == [[1, 1, 5, 6]]  # type: ignore[union-attr]
    with pytest.raises(InputError, match="holds 1 pictures"):
        cvat.read(page(tmp_path / "short", *rows, pictures=1))


TRACK = "<track id='0' label='a'><box frame='0' xtl='0' ytl='0' xbr='1' ybr='1'/></track>"
BOX = '<box label="a" occluded="0" xtl="1" ytl="2" xbr="3" ybr="4"></box>'


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (BOX.replace(' label="a"', ""), "needs the attribute 'label'"),
        (BOX.replace('xtl="1"', ""), "needs the attribute 'xtl'"),
        (BOX.replace('xtl="1"', 'xtl="one"'), "must be a number"),
        (BOX.replace('xtl="1"', 'xtl="9"'), "inside out"),
        (BOX.replace('occluded="0"', 'occluded="maybe"'), "'occluded' must be 0 or 1"),
        (BOX.replace('occluded="0"', 'z_order="1.5"'), "'z_order' must be a whole number"),
        (BOX.replace('occluded="0"', 'group_id="x"'), "'group_id' must be a number"),
        (BOX.replace("></box>", "><attribute/></box>"), "needs the attribute 'name'"),
        ('<star label="a"/>', "no shape is called <star>"),
        ('<polygon label="a" points="1,2;3,4"/>', "'points' must be 3 or more"),
        ('<polyline label="a" points="1,2;3"/>', "'points' must be 1 or more"),
        ('<points label="a" points="1,x"/>', "'points' must be a number"),
        ('<mask label="a" rle="1,2" left="0" top="0" width="2" height="2"/>', "runs of 3 pixels"),
        ('<mask label="a" rle="1,3" left="7" top="0" width="2" height="2"/>', "leads outside the picture"),
        ('<mask label="a" rle="1,z" left="7" top="0" width="2" height="2"/>', "'rle' must be a number"),
        ('<ellipse label="a" cx="1" cy="2" rx="3"/>', "needs the attribute 'ry'"),
        ("<!DOCTYPE a>", "not XML"),
    ],
)
def test_every_fault_names_its_file_and_line(shape: str, why: str, tmp_path: Path) -> None:
    folder = page(tmp_path / "new", image(BOX, shape))
    with pytest.raises(InputError) as caught:
        list(cvat.read(folder))
    assert f"{folder / 'annotations.xml'} line 7: " in caught.value.message
    assert why in caught.value.message


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace('name="0.png"', 'name="../0.png"'), "outside the folder"),
        (lambda text: text.replace('"utf-8"', '"latin-1"'), "Save it as UTF-8"),
        (lambda text: text.replace("</annotations>", ""), "not XML"),
        (lambda text: text.replace("<annotations>", "<!DOCTYPE a [<!ENTITY b 'c'>]><annotations>"), "document type"),
        (lambda text: text.replace("</image>", f"</image>{TRACK}"), "export them apart"),
    ],
)  # fmt: skip
def test_every_fault_of_the_file_is_named(change: Callable[[str], str], why: str, tmp_path: Path) -> None:
    folder = page(tmp_path / "new", image(BOX))
    edited(folder / "annotations.xml", change)
    with pytest.raises(InputError) as caught:
        cvat.read(folder)
    assert str(folder / "annotations.xml") in caught.value.message
    assert why in caught.value.message


def test_a_file_that_changed_is_not_read_on(tmp_path: Path) -> None:
    folder = page(tmp_path / "new", image(BOX))
    data = cvat.read(folder)
    edited(folder / "annotations.xml", lambda text: text.replace("<meta>", "<meta> "))
    with pytest.raises(InputError, match="changed after it was opened"):
        _ = data[0]


def test_what_it_cannot_hold_is_refused_or_listed(tmp_path: Path) -> None:
    two = ((*RINGS[0], *RINGS[1]), *RINGS[1:])
    scored = things(
        outlines=two, scores=np.ones(3, np.float32), details=({"difficult": True, "attributes": {"a": 1}}, {}, {})
    )
    data = samples(scored, things(masks=MASKS, outlines=RINGS), Labels(("x",)), group="g")
    with pytest.raises(InputError, match="cannot hold its group"):
        cvat.write(data, tmp_path / "new")
    lost = Lost("cvat", strict=False)
    back = cvat.read(cvat.write(data, tmp_path / "new", lost=lost))
    assert lost.counts == {
        "group": 3, "scores": 1, "'difficult' of objects": 1, "attributes that are no words": 1, "truth (labels)": 1,
        "outlines of several rings, other than as masks": 1, "boxes that are no whole window around their mask": 4,
        "outlines beside masks": 3,
    }  # fmt: skip
    np.testing.assert_array_equal(back[0].truth.shapes((24, 32))[0], scored.shapes((24, 32))[0])  # type: ignore[union-attr]


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    cvat.write(everything(), tmp_path / "new")
    assert only_typed_errors(cvat, tmp_path / "new", tmp_path / "new/annotations.xml", 0) > 50
