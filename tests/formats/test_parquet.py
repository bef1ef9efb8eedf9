"""Parquet: tables as Hugging Face writes them, made here with the library itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet as library

from sightline.core.annotations import Labels, Objects, Text
from sightline.core.data import open_data, recognise
from sightline.core.errors import InputError
from sightline.core.image import encode
from sightline.formats import parquet
from sightline.testing.without import run_without

PICTURE = encode(np.zeros((2, 3, 1), np.uint8))
CELL = {"bytes": PICTURE, "path": None}


def table(file: Path, rows: list[dict[str, Any]], features: dict[str, Any] | None = None, group: int = 2) -> Path:
    made = pyarrow.Table.from_pylist(rows)
    if features is not None:
        made = made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    file.parent.mkdir(parents=True, exist_ok=True)
    library.write_table(made, file, row_group_size=group)
    return file


def test_class_numbers_with_names(tmp_path: Path) -> None:
    names = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    for side in ("train", "validation"):
        rows = [{"image": CELL, "label": n % 2, "site": "x"} for n in range(3)]
        table(tmp_path / "data" / f"{side}-00000-of-00001.parquet", rows, names)
    assert recognise(tmp_path) == "parquet"
    data = open_data(tmp_path)
    assert data.names == ("cat", "dog")
    assert data.kind is Labels
    assert [one.truth.best for one in data] == ["cat", "dog", "cat"] * 2  # type: ignore[union-attr]
    assert [one.split for one in data] == ["train"] * 3 + ["val"] * 3
    assert data[2].attributes == {"site": "x"}
    assert data[2].id == "train-00000-of-00001/2"
    assert data[4].pixels().shape == (2, 3, 1)
    assert data[4].image.encoded() == PICTURE


def test_captions_boxes_several_names_and_bare_bytes(tmp_path: Path) -> None:
    (text,) = open_data(table(tmp_path / "a.parquet", [{"jpg": PICTURE, "caption": "a cat"}]))
    assert isinstance(text.truth, Text)
    features = {"objects": {"feature": {"category": {"names": ["a", "b"], "_type": "ClassLabel"}}, "_type": "Sequence"}}
    things = {"bbox": [[1.0, 2.0, 3.0, 4.0]], "category": [1]}
    (boxes,) = open_data(table(tmp_path / "b.parquet", [{"image": CELL, "objects": things}], features))
    assert isinstance(boxes.truth, Objects)
    assert boxes.truth.boxes.tolist() == [[1, 2, 4, 6]]
    assert boxes.truth.names == ("a", "b")
    (several,) = open_data(table(tmp_path / "c.parquet", [{"image": CELL, "labels": ["x", "y"]}]))
    assert isinstance(several.truth, Labels)
    assert several.truth.names == ("x", "y")
    (plain,) = open_data(table(tmp_path / "d.parquet", [{"image": CELL, "label": "x"}]))
    assert plain.truth.names == ("x",)  # type: ignore[union-attr]


def test_paths_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(PICTURE)
    rows = [{"image": {"bytes": None, "path": path}} for path in ("1.png", "../1.png")]
    schema = pyarrow.schema([("image", pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())]))])
    library.write_table(pyarrow.Table.from_pylist(rows, schema=schema), tmp_path / "a.parquet")
    first, second = open_data(tmp_path / "a.parquet")
    assert first.pixels().shape == (2, 3, 1)
    with pytest.raises(InputError, match="leads outside"):
        second.pixels()


def test_pictures_are_not_read_for_their_labels(tmp_path: Path) -> None:
    file = table(tmp_path / "a.parquet", [{"image": CELL, "label": n} for n in range(10)])
    data = open_data(file)
    assert data.counts()["7"] == 1
    assert not data.samples.tables[0].kept["heavy"]  # type: ignore[attr-defined]
    data[7].pixels()
    assert list(data.samples.tables[0].kept["heavy"]) == [3]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"name": "x"}], "no column of pictures among name"),
        ([{"image": CELL, "truth": "{"}], "row 1: not JSON"),
        ([{"image": CELL, "objects": {"bbox": [[1.0]], "category": ["a"]}}], "row 1: 'objects' needs four numbers"),
    ],
)
def test_what_is_wrong_is_named(rows: list[dict[str, Any]], message: str, tmp_path: Path) -> None:
    file = table(tmp_path / "a.parquet", rows)
    with pytest.raises(InputError, match=message):
        list(parquet.read(file))


def test_without_the_library_the_extra_is_named(tmp_path: Path) -> None:
    file = table(tmp_path / "a.parquet", [{"image": CELL}])
    code = """
import sys
from pathlib import Path
from sightline.core.errors import MissingExtraError
from sightline.formats import parquet
print(parquet.sniff(Path(sys.argv[1])).why)
try:
    parquet.read(Path(sys.argv[1]))
except MissingExtraError as error:
    print(error.message)
"""
    said = run_without(("pyarrow",), code, str(file)).splitlines()
    assert len(said) == 2
    assert all("sightline[parquet]" in line for line in said)
