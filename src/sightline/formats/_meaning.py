"""What the columns of a table mean, told by their headers and, where those are silent, by their cells."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sightline.core.errors import AmbiguousError, InputError
from sightline.core.image import SUFFIXES
from sightline.formats import _walk
from sightline.formats._cells import Sheet

PICTURE = (
    *("file", "filename", "file_name", "file name", "filepath", "file_path", "path", "image", "image_path"),
    *("image_name", "image_file", "img", "img_path", "picture", "image_id", "imageid", "img_id", "id_code", "id"),
)
LABEL = ("label", "class", "category", "target", "class_name", "label_name", "species", "diagnosis")
EITHER = ("label", "target")  # headers that stand above names and above numbers
CODES = 20  # whole numbers in such a column up to which they are names; more must come back often to be
OFTEN = 5
LABELS = ("labels", "tags", "classes", "categories", "finding labels")
TEXT = ("text", "caption", "transcription", "transcript", "sentence")
VALUE = ("value", "number", "rating", "count")
GROUP = ("group", "patient", "patient_id", "patientid", "patient id", "subject", "subject_id", "video", "case_id")
SPLIT = ("split", "set", "subset", "partition")
JSON = "attributes"  # a column that holds a JSON object
CORNERS = (
    ("x0", "y0", "x1", "y1"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
)
BOXES = ("bbox", "bboxes", "box", "boxes")  # what does not say whether it ends in a corner or a size
SIZES = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))
SIDES = {**_walk.SPLITS, "dev": "val"}
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_COMMA = re.compile(r"-?\d+,\d+")  # a number as it is written where the comma stands before its parts
_WITH_UNIT = re.compile(r"(-?\d+(?:\.\d+)?)\s*[^\s\d.,:/_-]{1,8}")
_MARKS = "|;,"
_TRUTHS = {"0": False, "1": True, "0.0": False, "1.0": True}


@dataclass(slots=True)
class Meaning:
    """Which column holds what, by its place in the header."""

    picture: int
    id: int | None = None
    label: int | None = None
    labels: int | None = None
    separator: str = ""
    box: tuple[int, ...] = ()
    sized: bool = False  # the box is corner and size instead of two corners
    values: dict[str, int] = field(default_factory=dict)  # name of a number -> column
    bounds: dict[str, int] = field(default_factory=dict)  # low:name and high:name -> column
    marks: dict[str, int] = field(default_factory=dict)  # name -> column of 0 and 1
    text: int | None = None
    group: int | None = None
    split: int | None = None
    json: int | None = None
    attributes: dict[str, int] = field(default_factory=dict)
    numeric: frozenset[int] = frozenset()  # columns of attributes whose filled cells are all numbers


def meaning_of(sheet: Sheet) -> Meaning | None:
    """The reading of a table, or None where no column names pictures; each truth column beyond one is an attribute."""
    places = {word.lower(): place for place, word in enumerate(sheet.header)}

    def first(words: tuple[str, ...]) -> int | None:
        return next((places[word] for word in words if word in places and places[word] not in used), None)

    used: set[int] = set()
    picture = _picture(sheet, places)
    if picture is None:
        return None
    used.add(picture)
    told = Meaning(picture)
    told.id = places.get("id") if places.get("id") != picture else None
    told.group, told.json = first(GROUP), places.get(JSON)
    told.json = told.json if told.json is not None and _all_json(sheet.columns[told.json]) else None
    side = first(SPLIT)
    told.split = side if side is not None and _names_a_side(sheet.columns[side]) else None
    used |= {place for place in (told.id, told.group, told.split, told.json) if place is not None}
    _find_truth(sheet, told, places, first)
    used |= {place for place in (told.label, told.labels, told.text) if place is not None}
    used |= {*told.box, *told.values.values(), *told.bounds.values(), *told.marks.values()}
    told.attributes = {word: place for place, word in enumerate(sheet.header) if place not in used and word}
    told.numeric = frozenset(place for place in told.attributes.values() if are_numbers(sheet.columns[place]))
    return told


def _find_truth(sheet: Sheet, told: Meaning, places: dict[str, int], first: Any) -> None:
    """Boxes before names, names before numbers, numbers before columns of 0 and 1, those before text."""
    for words in (*CORNERS, *SIZES):
        if all(word in places for word in words) and all(
            are_numbers(sheet.columns[places[word]], loose=True) for word in words
        ):
            told.box, told.sized = tuple(places[word] for word in words), words in SIZES
            told.label = first(LABEL)
            return
    told.labels = first(LABELS)
    if told.labels is not None:
        told.separator = separator_of(sheet.columns[told.labels])
        return
    label = first(LABEL)
    if label is not None and not are_measures(sheet.columns[label]):
        _refuse_either(sheet, label)
        told.label = label
        return
    named = {word[6:]: place for place, word in enumerate(sheet.header) if word.lower().startswith("value:")}
    single = label if label is not None else first(VALUE)
    alone = None if named or single is not None else _alone(sheet, told)
    single = alone if alone is not None else single
    if named or (single is not None and _mostly_numbers(sheet.columns[single])):
        told.values = named or {sheet.header[single]: single}
        _check_numbers(sheet, told.values)
        told.bounds = {
            word: place
            for place, word in enumerate(sheet.header)
            if word.partition(":")[0] in ("low", "high") and word.partition(":")[2] in told.values
        }
        return
    _refuse_written(sheet, places)
    marks = _marks(sheet, told, places)
    if marks:
        told.marks = marks
        return
    told.text = first(TEXT)
    boxed = first(BOXES) if told.text is None else None
    if boxed is not None and any(sheet.columns[boxed]):
        what = f"{_first(sheet, boxed, bool)}; a box stands in four columns, such as {', '.join(SIZES[0])}"
        raise InputError("label", f"{what}, and a row a box.")


def _refuse_either(sheet: Sheet, place: int) -> None:
    """What could be names or be measured, or one name or several, is not guessed at."""
    word, cells = sheet.header[place], sheet.columns[place]
    if word.lower() in EITHER and are_either(cells):
        kinds = len({cell for cell in cells if cell})
        raise AmbiguousError(
            f"{sheet.file}: '{word}' holds {kinds:,} whole numbers, which can be read as names or as numbers. "
            "Call the column 'class' if they are names, or 'value' if they are measured."
        )
    if word.lower() in EITHER and _are_mostly(cells, _COMMA):
        raise AmbiguousError(
            f"{_first(sheet, place, _COMMA.fullmatch)}, which can be read as names or as numbers. Write numbers with a "
            "point and call the column 'value' if they are measured; call it 'class' if they are names."
        )
    if word.lower() in EITHER and (mark := joined_by(cells)):
        raise AmbiguousError(
            f"{_first(sheet, place, lambda cell: mark in cell)}, which can be read as one name or as several. Call "
            "the column 'labels' if they are several, or 'class' if each is one."
        )


def can_be_two(cells: list[str]) -> bool:
    """Whether names would be refused under a header that stands above other things too."""
    return are_either(cells) or _are_mostly(cells, _COMMA) or bool(joined_by(cells))


def joined_by(cells: list[str]) -> str:
    """The mark between names in a cell, where each of the names it parts stands in another cell too; else nothing."""
    kinds = {cell for cell in cells if cell}
    for mark in _MARKS:
        split = {cell: parts(cell, mark) for cell in kinds if mark in cell}
        counts = Counter(part.strip() for cell in kinds for part in set(split.get(cell, (cell,))))
        if split and all(part.strip() and counts[part.strip()] > 1 for found in split.values() for part in found):
            return mark
    return ""


def _refuse_written(sheet: Sheet, places: dict[str, int]) -> None:
    """Numbers that are written so that nobody here reads them are not taken for words."""
    for word in VALUE:
        place = places.get(word)
        if place is None:
            continue
        if _are_mostly(sheet.columns[place], _COMMA):
            told = "write numbers with a point and no comma, as 0.5 or 1200"
            raise InputError("label", f"{_first(sheet, place, _COMMA.fullmatch)}: {told}.")
        if word == "value" and _are_mostly(sheet.columns[place], _WITH_UNIT):
            told = "write the number alone, and its unit nowhere or in the header"
            raise InputError("label", f"{_first(sheet, place, _WITH_UNIT.fullmatch)}: {told}.")


def _are_mostly(cells: list[str], form: re.Pattern[str]) -> bool:
    """Whether more than half of the filled cells are written in this form."""
    filled = [cell for cell in cells if cell]
    return 2 * sum(bool(form.fullmatch(cell)) for cell in filled) > len(filled)


def _first(sheet: Sheet, place: int, is_so: Callable[[str], object]) -> str:
    """Where the first cell stands of which this is so, and what it says."""
    row = next(row for row, cell in enumerate(sheet.columns[place]) if is_so(cell))
    return f"{sheet.where(row)}: {sheet.header[place]} is '{sheet.columns[place][row][:40]}'"


def are_either(cells: list[str]) -> bool:
    """Whole numbers so many, and each so seldom, that they may be measured as well as be names."""
    filled = [cell for cell in cells if cell]
    kinds = len(set(filled))
    return kinds > CODES and len(filled) < OFTEN * kinds and all(cell.lstrip("-").isdigit() for cell in set(filled))


def _alone(sheet: Sheet, told: Meaning) -> int | None:
    """The one column beside the picture, where it is measured: parts after the point, or many whole numbers."""
    known = {told.picture, told.id, told.group, told.split, told.json}
    others = [place for place, word in enumerate(sheet.header) if word and place not in known]
    if len(others) != 1 or not are_numbers(sheet.columns[others[0]]):
        return None
    return others[0] if are_measures(sheet.columns[others[0]]) or are_either(sheet.columns[others[0]]) else None


def _mostly_numbers(cells: list[str]) -> bool:
    """Whether a column means numbers, though a cell or two may be none: these are refused with their line."""
    good = sum(are_numbers([cell], loose=True) for cell in cells)
    return good == len(cells) or 2 * good > len(cells)


def _check_numbers(sheet: Sheet, values: dict[str, int]) -> None:
    for name, place in values.items():
        for row, cell in enumerate(sheet.columns[place]):
            if cell and not are_numbers([cell], loose=True):
                point = " Write a point for the comma." if _COMMA.fullmatch(cell) else ""
                raise InputError("label", f"{sheet.where(row)}: {name} is '{cell[:40]}', which is no number.{point}")


def _marks(sheet: Sheet, told: Meaning, places: dict[str, int]) -> dict[str, int]:
    known = {told.picture, told.id, told.group, told.split, told.json}
    known |= {places[word] for word in TEXT if word in places}
    marks = {
        word: place
        for place, word in enumerate(sheet.header)
        if word and place not in known and are_marks(sheet.columns[place], known=False)
    }
    return marks if len(marks) > 1 else {}


def is_marked(cell: str) -> bool | None:
    """Whether a cell of 0 and 1 says yes; None where it is empty, since nobody knows."""
    return _TRUTHS.get(cell)


def are_marks(cells: list[str], *, known: bool = True) -> bool:
    """Whether a column would be read as yes and no; without `known`, cells may be empty."""
    filled = cells if known else [cell for cell in cells if cell]
    return bool(filled or known) and all(cell in _TRUTHS for cell in filled)


def are_numbers(cells: list[str], *, loose: bool = False) -> bool:
    """Whether every cell that is filled is a number as Python prints it; `loose` takes nan and empty columns too."""
    filled = [cell for cell in cells if cell]
    if loose:
        return all(_NUMBER.fullmatch(cell) or cell.lower() in ("nan", "inf", "-inf") for cell in filled)
    return bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)


def number_of(cell: str) -> int | float:
    """The number that a cell of `are_numbers` holds."""
    return int(cell) if cell.lstrip("-").isdigit() else float(cell)


def separator_of(cells: list[str]) -> str:
    """What parts the names in the cells: the first of | ; , that occurs at all; with the space that always follows."""
    mark = next((mark for mark in _MARKS if any(mark in cell for cell in cells)), "|")
    after = {cell[place + 1 : place + 2] for cell in cells for place, sign in enumerate(cell) if sign == mark}
    return f"{mark} " if mark != "|" and after <= {" ", ""} and " " in after else mark


def parts(cell: str, separator: str) -> tuple[str, ...]:
    """The names in a cell that is not empty; a mark at its end is followed by none."""
    found = cell.removesuffix(separator[0]).split(separator[0])
    return tuple(name.removeprefix(separator[1:]) for name in found)


def are_measures(cells: list[str]) -> bool:
    """Numbers with a part after the point are measured, not named."""
    filled = [cell for cell in cells if cell]
    return are_numbers(filled) and any(
        not number.is_integer() for number in map(float, filled) if math.isfinite(number)
    )


def _picture(sheet: Sheet, places: dict[str, int]) -> int | None:
    """By header; else the one column whose cells end like pictures."""
    shown = [
        place
        for place, column in enumerate(sheet.columns)
        if column and all(cell.lower().endswith(SUFFIXES) for cell in column[:20])
    ]
    named = [places[word] for word in PICTURE if word in places]
    both = [place for place in named if place in shown]
    return next(iter(both or named or shown), None)


def _names_a_side(cells: list[str]) -> bool:
    return all(not cell or cell.lower() in SIDES for cell in cells) and any(cells)


def _all_json(cells: list[str]) -> bool:
    return all(not cell or cell.startswith("{") for cell in cells)


def json_of(cell: str, where: str) -> dict[str, Any]:
    """The object in a cell of JSON."""
    try:
        plain = json.loads(cell or "{}")
    except (ValueError, RecursionError) as error:
        raise InputError("label", f"{where}: '{JSON}' is not JSON ({str(error)[:80]}).") from error
    if not isinstance(plain, dict):
        raise InputError("label", f"{where}: '{JSON}' must be an object in braces.")
    return plain
