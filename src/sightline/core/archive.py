"""A zip with one spelling: stored, sorted and undated, sealed in its comment; whatever is spelt otherwise is refused.

Ordinary tools can open it. Reading never trusts a field: the bytes that honest members would have been given are
written again and compared, so links, compression, encryption, duplicates, hidden bytes and wrong checksums all fail.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from sightline.core.errors import BundleError

NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,99}")
LARGEST = 2**32 - 2**20  # bytes: what a zip can address without its 64-bit variant
_MARK = b"sightline sha256:"
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_TAIL = _END.size + len(_MARK) + 64
_NEW_YEAR = 0x0021  # 1980-01-01, the first date that a zip can hold
_PIECE = 2**22


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    size: int
    checksum: int
    start: int

    def local(self) -> bytes:
        name = self.name.encode()
        numbers = (20, 0, 0, 0, _NEW_YEAR, self.checksum, self.size, self.size, len(name), 0)
        return _LOCAL.pack(b"PK\3\4", *numbers) + name

    def central(self) -> bytes:
        name, plain_file = self.name.encode(), 0o100644 << 16
        sizes = (self.checksum, self.size, self.size)
        numbers = (0x0314, 20, 0, 0, 0, _NEW_YEAR, *sizes, len(name), 0, 0, 0, 0, plain_file, self.start)
        return _CENTRAL.pack(b"PK\1\2", *numbers) + name


def pack(files: Mapping[str, bytes], label: str = "archive") -> bytes:
    """The one archive that holds these files; equal content gives equal bytes."""
    pieces: list[bytes] = []
    members: list[_Member] = []
    start = 0
    for name, data in sorted(files.items()):
        if not NAME.fullmatch(name):
            refuse(label, f"{name[:60]!a} cannot name a member; use a to z, 0 to 9, '_', '.' and '-'.")
        if start + len(data) > LARGEST or len(members) >= 2**16 - 1:
            refuse(label, f"more than {LARGEST:,} bytes or 65,534 members. Save to a folder instead.")
        members.append(_Member(name, len(data), zlib.crc32(data), start))
        pieces += (members[-1].local(), data)
        start += len(pieces[-2]) + len(data)
    pieces += _ending(members, start)
    whole = hashlib.sha256()
    for piece in (*pieces, b"0" * 64):
        whole.update(piece)
    return b"".join((*pieces, whole.hexdigest().encode()))


def _ending(members: list[_Member], start: int) -> tuple[bytes, bytes]:
    """The directory, and all after it but the 64 digits of the seal."""
    directory = b"".join(member.central() for member in members)
    count, comment = len(members), len(_MARK) + 64
    return directory, _END.pack(b"PK\5\6", 0, 0, count, count, len(directory), start, comment) + _MARK


def unpack(data: bytes, label: str, *, most: int, largest: int = LARGEST) -> dict[str, bytes]:
    """The members of an archive in memory."""
    return read(io.BytesIO(data), len(data), label, most=most, largest=largest)


def read(
    stream: BinaryIO,
    size: int,
    label: str,
    *,
    most: int,
    largest: int = LARGEST,
    arrived: Callable[[str, bytes], object] | None = None,
) -> dict[str, bytes]:
    """The members of an archive of `size` bytes: at most `most` of them, in no more memory than `largest` bytes.

    `arrived` hears of each member as soon as it is read, before the seal is known to hold.
    """
    if size > min(largest, LARGEST):
        refuse(label, f"{size:,} bytes; the limit is {min(largest, LARGEST):,}.")
    if size < _TAIL:
        refuse(label, "too short to be a bundle.")
    directory, tail = _read_ending(stream, size, label, most)
    members = list(_members(directory, size, label))
    whole, found = hashlib.sha256(), {}
    stream.seek(0)
    with ThreadPoolExecutor(1) as helper:  # one thread hashes what was read while the next piece is read
        for member in members:
            head = member.local()
            if stream.read(len(head)) != head:
                refuse(label, f"the entry of {member.name} is not written as Sightline writes it.")
            helper.submit(whole.update, head)
            data = stream.read(member.size)
            helper.submit(whole.update, data)
            if arrived:
                arrived(member.name, data)
            if len(data) != member.size or zlib.crc32(data) != member.checksum:
                refuse(label, f"the checksum of {member.name} is wrong.")
            found[member.name] = data
        for piece in (directory, tail[:-64], b"0" * 64):
            helper.submit(whole.update, piece)
    start = sum(len(member.local()) + member.size for member in members)
    if (directory, tail[:-64]) != _ending(members, start):
        refuse(label, "its directory is not written as Sightline writes it (compressed, linked, dated or added to).")
    if tail[-64:] != whole.hexdigest().encode():
        refuse(label, "its bytes do not match its seal: it is damaged or was changed. Copy or export it again.")
    return found


def _read_ending(stream: BinaryIO, size: int, label: str, most: int) -> tuple[bytes, bytes]:
    stream.seek(size - _TAIL)
    tail = stream.read(_TAIL)
    if tail[:4] != b"PK\5\6" or tail[_END.size : -64] != _MARK:
        refuse(
            label,
            "no Sightline seal at its end: cut, changed, or zipped by another tool (unzip it and name the folder).",
        )
    *_, count, length, start, _ = _END.unpack_from(tail)
    if count > most:
        refuse(label, f"{count:,} members; the limit is {most:,}.")
    if start + length + _TAIL != size or length > count * (_CENTRAL.size + 100):
        refuse(label, "its directory does not lie where its end says.")
    stream.seek(start)
    return stream.read(length), tail


def _members(directory: bytes, size: int, label: str) -> Iterator[_Member]:
    """Entries with names that are safe anywhere, strictly ascending and back to back."""
    place, start, last = 0, 0, ""
    while place < len(directory):
        if place + _CENTRAL.size > len(directory):
            refuse(label, "its directory is cut.")
        fields = _CENTRAL.unpack_from(directory, place)
        text = directory[place + _CENTRAL.size : place + _CENTRAL.size + fields[10]].decode("ascii", "replace")
        if not NAME.fullmatch(text):
            refuse(label, f"{text[:60]!a} cannot name a member.")
        if text <= last:
            refuse(label, f"the member {text[:60]} is listed twice or out of order.")
        member = _Member(text, fields[9], fields[7], start)
        start += len(member.local()) + member.size
        if start > size:
            refuse(label, f"{text[:60]} is said to be larger than the whole.")
        yield member
        place, last = place + _CENTRAL.size + fields[10], text


def refuse(label: str, why: str) -> NoReturn:
    """The one shape of a refusal: which bundle, and what is wrong with it."""
    raise BundleError(f"{label[-200:]}: {why}"[:500])
