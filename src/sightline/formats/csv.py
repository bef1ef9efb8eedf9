"""A table of pictures: one column names the picture, others its label, boxes, numbers, text, group and split."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from sightline.core.dataset import Dataset
from sightline.core.lost import Lost
from sightline.core.task import Fit
from sightline.formats import _cells, _rows, _tables, _writing

LAYOUT = "photos/labels.csv with a header like file,label or file,x0,y0,x1,y1,label, and the pictures that it names"
_FORM = _tables.Form(LAYOUT, _cells.SUFFIX, _cells.read_sheet, _cells.may_be)


def sniff(path: Path) -> Fit:
    """Natural where one table, or one a side, names pictures that are there."""
    if path.is_file() and path.suffix.lower() in _cells.SUFFIX and not _cells.may_be(path):
        return Fit(0, "a text that says nothing of pictures")
    return _tables.sniff(path, _FORM)


def read(path: Path) -> Dataset:
    """The rows of the table; several rows of one picture are its boxes."""
    return _tables.read(path, _FORM)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """`labels.csv` and the pictures under `files`; a picture with boxes has a row a box."""
    return _rows.write(data, path, _writing.strict(lost, "csv"), "labels.csv", _text)


def _text(header: list[str], rows: list[list[str]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return stream.getvalue()
