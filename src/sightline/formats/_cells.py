"""Tables as text: encoding, delimiter and quotes are looked at, and every row knows its line."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES
from sightline.formats import _paths

SUFFIX = (".csv", ".tsv", ".txt")
LARGEST = 2**30  # bytes of one table
_DELIMITERS = ",;\t|"
_BEGIN = 2**12  # bytes of a text that tell whether it is a table
_BARE = {2: ["file", "label"], 6: ["file", "x0", "y0", "x1", "y1", "label"]}  # tables that come without a header


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table by column; `lines[row]` is the line in the file that the row ends on, or what else a row is there."""

    file: Path
    header: list[str]
    columns: list[list[str]]
    lines: list[int]
    word: str = "line"

    def where(self, row: int) -> str:
        """File and line, for messages."""
        return f"{self.file} {self.word} {self.lines[row]}"

    def __len__(self) -> int:
        return len(self.lines)


def may_be(file: Path) -> bool:
    """Whether a file is called a table, or is a text whose first lines say something of one picture each."""
    if file.suffix.lower() != ".txt":
        return True
    try:
        with file.open("rb") as opened:
            lines = opened.read(_BEGIN).decode("utf-8-sig", "replace").splitlines()[:2]
    except OSError:
        return False
    rows = [line.strip().split(_delimiter(file, line)) for line in lines]
    shown = [[cell.lower().endswith(SUFFIXES) for cell in row] for row in rows]
    return bool(rows) and len(rows[-1]) > 1 and sum(shown[-1]) == 1 and len(rows[0]) == len(rows[-1])


def read_sheet(file: Path, most: int | None = None) -> Sheet:
    """All rows, or the first `most`; equal words share their memory."""
    _paths.size_within(file, LARGEST)
    encoding = _encoding(file)
    number = 0
    try:
        with file.open(encoding=encoding, newline="") as opened:
            first = opened.readline(2**20)
            opened.seek(0)
            rows = csv.reader(opened, delimiter=_delimiter(file, first), strict=True)
            header = [word.strip() for word in next(rows, [])]
            begun = _bare(header)
            columns: list[list[str]] = [[] for _ in header]
            lines: list[int] = []
            if begun is None:
                _check_header(header, file)
            else:
                columns, lines, header = [[word] for word in header], [rows.line_num], begun
            words: dict[str, str] = {}
            for row in islice(rows, most):
                number = rows.line_num
                if len(row) != len(header):
                    if not any(row):
                        continue
                    raise InputError("label", f"{file} line {number}: {len(row)} cells; the header has {len(header)}.")
                for column, word in zip(columns, row, strict=True):
                    column.append(words.setdefault(word, word) if len(words) < 10_000 else words.get(word, word))
                lines.append(number)
    except UnicodeError as error:
        raise InputError("label", f"{file}: not {encoding} text after line {number}. Save it as UTF-8.") from error
    except csv.Error as error:
        raise InputError("label", f"{file} after line {number}: {error}.") from error
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error
    return Sheet(file, header, columns, lines)


def _encoding(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            start = opened.read(2)
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error
    return "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _delimiter(file: Path, first: str) -> str:
    """A tab in .tsv; else the mark that the first line has most of; in a text with none of them, a space."""
    most = "\t" if file.suffix.lower() == ".tsv" else max(_DELIMITERS, key=first.count)
    return " " if file.suffix.lower() == ".txt" and most not in first else most


def _bare(first: list[str]) -> list[str] | None:
    """The header that is missing where the first row already names a picture."""
    named = first and first[0].lower().endswith(SUFFIXES)
    return list(_BARE[len(first)]) if named and len(first) in _BARE else None


def _check_header(header: list[str], file: Path) -> None:
    if not header:
        raise InputError("label", f"{file}: an empty table; the first line names the columns.")
    seen: set[str] = set()
    for word in header:
        if word and word.lower() in seen:
            raise InputError("label", f"{file} line 1: two columns are called '{word[:40]}'.")
        seen.add(word.lower())
