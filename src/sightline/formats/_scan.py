"""Where the objects of a large JSON file lie, and a few whole numbers in them, without building the objects.

The file is one object whose lists hold objects, as `{"images": [{...}, ...], "annotations": [{...}, ...]}`. It is read
once, in pieces, with array operations on the bytes that carry structure; quotes and escapes are honoured. What lies
between the braces of an object is left for whoever reads that object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sightline.core.errors import InputError
from sightline.formats._json import parse

MISSING = np.iinfo(np.int64).min  # a whole number that an object does not say
_PIECE = 8 * 2**20  # bytes
_LONGEST = 64 * 2**20  # bytes of one string
_QUOTE, _ESCAPE, _COLON, _COMMA, _MINUS, _ZERO = (np.uint8(ord(letter)) for letter in '"\\:,-0')
_STEP = np.zeros(256, np.int8)  # what a byte does to the depth
for _letter, _by in zip(b"{[}]", (1, 1, -1, -1), strict=True):
    _STEP[_letter] = _by
_MARKS = _STEP != 0
_MARKS[[_QUOTE, _ESCAPE]] = True
_BLANK = np.zeros(256, bool)
_BLANK[list(b" \t\r\n")] = True
_ENDS = _BLANK.copy()
_ENDS[list(b",}]")] = True


@dataclass(slots=True)
class Rows:
    """The objects of one list: where each begins and ends, and the numbers that were asked for."""

    starts: np.ndarray
    ends: np.ndarray
    numbers: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(slots=True)
class Found:
    """What one pass over a file found."""

    file: Path
    keys: dict[str, tuple[int, int]]  # key of the whole -> where its value lies, with what stands around it
    lists: dict[str, Rows]

    def value(self, key: str, most: int = 64 * 2**20) -> Any:
        """The value of a key of the whole, built."""
        begin, end = self.keys[key]
        if end - begin > most:
            raise InputError("too_large", f"{self.file}: '{key}' holds more than {most:,} bytes.")
        with self.file.open("rb") as opened:
            opened.seek(begin)
            text = opened.read(end - begin).strip().removeprefix(b":").strip()[:-1]  # without the comma or the brace
        return parse(text, f"{self.file} line {line_at(self.file, begin)}: '{key}'")


@dataclass(slots=True)
class _State:
    """What is carried from piece to piece."""

    file: Path
    wanted: tuple[bytes, ...]
    depth: int = 0
    bare: bool = False  # the whole is a list, not an object that holds lists
    end: int = -1  # behind the whole
    keys: list[tuple[int, int, bytes]] = field(default_factory=list)  # of the whole: begin, end, text
    starts: list[np.ndarray] = field(default_factory=list)
    ends: list[np.ndarray] = field(default_factory=list)
    wrong: list[np.ndarray] = field(default_factory=list)  # ends that are not followed by a comma and an object
    places: dict[bytes, list[np.ndarray]] = field(default_factory=dict)
    values: dict[bytes, list[np.ndarray]] = field(default_factory=dict)


def scan(file: Path, lists: Mapping[str, tuple[str, ...]]) -> Found:
    """Find every object in these lists of the whole, with these whole numbers of each."""
    wanted = tuple({name.encode(): None for names in lists.values() for name in names})
    state = _State(file, wanted, places={name: [] for name in wanted}, values={name: [] for name in wanted})
    try:
        with file.open("rb") as opened:
            _pieces(opened, state)
            return _sorted_out(opened, state, lists)
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error


def scan_list(file: Path, name: str) -> Rows:
    """Find every object of a file that is one list."""
    state = _State(file, (), depth=1, bare=True, keys=[(0, 0, name.encode())])
    try:
        with file.open("rb") as opened:
            _pieces(opened, state)
            return _sorted_out(opened, state, {name: ()}).lists[name]
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error


def line_at(file: Path, place: int) -> int:
    """The number of the line in which a byte lies."""
    count = 1
    with file.open("rb") as opened:
        while place > 0:
            data = opened.read(min(place, _PIECE))
            count += data.count(b"\n")
            place -= len(data) or place
    return count


def _pieces(opened: BinaryIO, state: _State) -> None:
    base, left = 0, b""
    while True:
        fresh = opened.read(_PIECE)
        data = left + fresh
        cut = _piece(np.frombuffer(data + bytes(32), np.uint8), base, state, last=not fresh)
        left = data[cut:]
        base += cut
        if not fresh:
            break
        if len(left) > _LONGEST:
            raise InputError("too_large", f"{state.file} line {line_at(state.file, base)}: a string without an end.")
    if state.bare:
        state.depth, state.end = state.depth - 1, base
    if state.depth or state.end < 0:
        raise InputError("label", f"{state.file}: not JSON (it ends before its last bracket is closed).")
    opened.seek(state.end)
    if opened.read(_PIECE).strip():
        raise InputError("label", f"{state.file} line {line_at(state.file, state.end)}: not JSON (it goes on).")


def _piece(data: np.ndarray, base: int, state: _State, *, last: bool) -> int:
    """Take in the bytes up to the last bracket, or all; answers how many those are. 32 zeros follow the data."""
    places = np.flatnonzero(_MARKS[data])
    letters = data[places]
    places, letters = _unescaped(places, letters, data)
    quote = letters == _QUOTE
    inside = (np.cumsum(quote, dtype=np.int32) & 1).astype(bool)
    bracket = ~quote & ~inside
    brackets = np.flatnonzero(bracket)
    if last:
        if len(inside) and inside[-1]:
            raise InputError("label", f"{state.file}: not JSON (a string without an end).")
        cut, upto = len(data) - 32, len(places)
    elif not len(brackets):
        return 0
    else:
        upto = int(brackets[-1])
        cut = int(places[upto])
    places, letters, quote, inside, bracket = (column[:upto] for column in (places, letters, quote, inside, bracket))
    depth = np.cumsum(_STEP[letters] * bracket, dtype=np.int32) + state.depth
    _brackets(data, places, letters, bracket, depth, base, state)
    opening = np.flatnonzero(quote & inside)
    closing = np.flatnonzero(quote & ~inside)
    _keys(data, places[opening], places[closing], depth[opening], base, state)
    if upto:
        state.depth = int(depth[-1])
    return cut


def _unescaped(places: np.ndarray, letters: np.ndarray, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without backslashes and the quotes behind them."""
    escape = letters == _ESCAPE
    if not escape.any():
        return places, letters
    behind = places[escape]
    run = np.flatnonzero(np.diff(behind, prepend=-2) != 1)  # where a row of backslashes begins
    nth = np.arange(len(behind)) - np.repeat(run, np.diff(run, append=len(behind)))
    escaped = np.zeros(len(data) + 1, bool)
    escaped[behind[nth % 2 == 0] + 1] = True
    keep = ~escape & ~escaped[places]
    return places[keep], letters[keep]


def _brackets(
    data: np.ndarray,
    places: np.ndarray,
    letters: np.ndarray,
    bracket: np.ndarray,
    depth: np.ndarray,
    base: int,
    state: _State,
) -> None:
    if len(depth) and (depth.min() < 0 or (state.end >= 0 and bracket.any())):
        line = line_at(state.file, base + int(places[np.argmax((depth < 0) | (depth > 0))]))
        raise InputError("label", f"{state.file} line {line}: not JSON (brackets that do not match).")
    closed = np.flatnonzero(bracket & (depth == 0))
    if len(closed):
        state.end = base + int(places[closed[0]]) + 1
    opens = bracket & (letters == ord("{")) & (depth == 3)
    closes = bracket & (letters == ord("}")) & (depth == 2)
    state.starts.append(places[opens] + base)
    ends = places[closes] + 1
    state.ends.append(ends + base)
    behind = _past_blanks(ends, data)
    follows = data[behind] == _COMMA
    after = data[_past_blanks(behind + 1, data)] == ord("{")
    state.wrong.append(ends[~np.where(follows, after, data[behind] == ord("]"))] + base)


def _keys(
    data: np.ndarray, opening: np.ndarray, closing: np.ndarray, depth: np.ndarray, base: int, state: _State
) -> None:
    closing = closing[: len(opening)]
    opening = opening[: len(closing)]
    for index in np.flatnonzero(depth[: len(closing)] == 1).tolist():
        text = data[opening[index] + 1 : closing[index]].tobytes()
        behind = data[closing[index] + 1 : closing[index] + 100].tobytes().lstrip()
        if behind.startswith(b":"):
            state.keys.append((base + int(opening[index]), base + int(closing[index]) + 1, text))
    length = np.where(depth[: len(closing)] == 3, closing - opening - 1, -1)
    for name in state.wanted:
        rows = np.flatnonzero(length == len(name))
        for offset, letter in enumerate(name, 1):
            rows = rows[data[opening[rows] + offset] == letter]
        named, values = _numbers(data, closing[rows] + 1)
        state.places[name].append(opening[rows][named] + base)
        state.values[name].append(values)


def _numbers(data: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of these places go on with a colon, and the whole numbers behind those."""
    places = _past_blanks(places, data)
    named = data[places] == _COLON
    places = _past_blanks(places[named] + 1, data)
    negative = data[places] == _MINUS
    places = places + negative
    values, digits = np.zeros(len(places), np.int64), np.zeros(len(places), np.int64)
    going = np.ones(len(places), bool)
    for _ in range(18):
        digit = data[places] - _ZERO  # wraps around where it is none
        going &= digit < 10
        if not going.any():
            break
        values = np.where(going, values * 10 + digit, values)
        digits += going
        places = places + going
    good = (digits > 0) & _ENDS[data[places]]
    return named, np.where(good, np.where(negative, -values, values), MISSING)


def _past_blanks(places: np.ndarray, data: np.ndarray) -> np.ndarray:
    """The next bytes that are no blanks; the zeros behind the data are none."""
    places = np.minimum(places, len(data) - 20)
    while (blank := _BLANK[data[places]]).any():
        places = places + blank
    return places


def _sorted_out(opened: BinaryIO, state: _State, lists: Mapping[str, tuple[str, ...]]) -> Found:
    opened.seek(0)
    if not opened.read(100).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[" if state.bare else b"{"):
        raise InputError("label", f"{state.file}: not {'a list' if state.bare else 'an object in braces'}.")
    begins = [begin for begin, _, _ in state.keys] + [state.end]
    keys: dict[str, tuple[int, int]] = {}
    for (begin, end, text), after in zip(state.keys, begins[1:], strict=True):
        name = str(parse(b'"' + text + b'"', f"{state.file}: a key"))
        if name in keys:
            raise InputError("label", f"{state.file} line {line_at(state.file, begin)}: a second {name[:40]!r}.")
        keys[name] = (end, after)
    starts, ends = np.concatenate(state.starts), np.concatenate(state.ends)
    found: dict[str, Rows] = {}
    for name, numbers in lists.items():
        if name not in keys:
            continue
        low, high = (int(place) for place in np.searchsorted(starts, keys[name]))
        rows = Rows(starts[low:high], ends[low:high], {})
        if len(rows.starts) != len(rows.ends) or (rows.ends <= rows.starts).any():
            raise InputError("label", f"{state.file}: the brackets of '{name}' do not match.")
        for number in numbers:
            rows.numbers[number] = _column(state, number.encode(), rows, keys[name])
        found[name] = rows
        _check_list(opened, state, rows, name, keys[name])
    return Found(state.file, keys, found)


def _column(state: _State, name: bytes, rows: Rows, span: tuple[int, int]) -> np.ndarray:
    places, values = np.concatenate(state.places[name]), np.concatenate(state.values[name])
    low, high = np.searchsorted(places, span)
    column = np.full(len(rows), MISSING)
    if len(rows):
        column[np.searchsorted(rows.starts, places[low:high], "right") - 1] = values[low:high]
    return column


def _check_list(opened: BinaryIO, state: _State, rows: Rows, name: str, span: tuple[int, int]) -> None:
    """The value is a list that begins with its first object, and its objects are parted by single commas."""
    first = int(rows.starts[0]) if len(rows) else span[1]
    opened.seek(span[0])
    before = opened.read(min(first - span[0], 65536)).translate(None, b" \t\r\n")
    begin = b"[" if state.bare else b":["
    before = before.removeprefix(b"\xef\xbb\xbf")
    wanted = before == begin if len(rows) else before.startswith(begin + b"]")
    if not wanted:
        raise InputError("label", f"{state.file} line {line_at(state.file, span[0])}: '{name}' must list objects.")
    if state.bare:
        opened.seek(int(rows.ends[-1]) if len(rows) else 0)
        if opened.read(_PIECE).strip() not in (b"]", b"[]", b"\xef\xbb\xbf[]"):
            raise InputError("label", f"{state.file}: not JSON (something stands behind the last of '{name}').")
    wrong = np.concatenate(state.wrong)
    wrong = wrong[(wrong > span[0]) & (wrong <= span[1])]
    if len(wrong):
        line = line_at(state.file, int(wrong[0]))
        raise InputError(
            "label", f"{state.file} line {line}: between two objects of '{name}' stands more than a comma."
        )
