"""A form with files, read as it comes in: bounded parts, bounded heads, no byte copied more than it must be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.core.errors import ServingError

_HEAD = 4096  # bytes of the head of one part
_BOUNDARY = re.compile(r'(?:^|;)\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)', re.IGNORECASE)
_NAME = re.compile(r'(?:^|;)\s*name=(?:"([^"]*)"|([^\s;"]+))', re.IGNORECASE)
_FILE = re.compile(r"(?:^|;)\s*filename\*?=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form; what its file was called is not kept, since nothing may depend on it."""

    name: str
    file: bool
    data: bytes


def boundary_of(content_type: str) -> bytes:
    """What parts are separated by."""
    found = _BOUNDARY.search(content_type.partition(";")[2])
    if not found:
        raise ServingError("schema", "This form names no boundary in its Content-Type.")
    return (found[1] or found[2]).encode("latin-1")


class Reader:
    """Takes a body piece by piece; `parts` holds those that are complete."""

    def __init__(self, boundary: bytes, most: int) -> None:
        self.most, self.parts = most, list[Part]()
        self._mark = b"\r\n--" + boundary
        self._held = bytearray(b"\r\n")  # so that the first mark looks like all others
        self._sought = 0  # where the next mark may begin
        self._head: tuple[str, bool] | None = None  # of the part whose data is being read
        self._begun = self._done = False

    def feed(self, piece: bytes) -> None:
        """The next bytes of the body."""
        if self._done:
            return  # what follows the last mark means nothing
        self._held += piece
        while not self._done and (self._data() if self._head else self._next_head()):
            pass

    def close(self) -> list[Part]:
        """All parts, once the body has ended."""
        if not self._done:
            raise ServingError("schema", "This form ends before its last boundary.")
        return self.parts

    def _next_head(self) -> bool:
        """From a mark to the empty line below the head; whether there was one."""
        held, mark = self._held, self._mark
        if not self._begun:
            place = held.find(mark)
            if place < 0:
                if len(held) > _HEAD:
                    raise ServingError("schema", "This form does not begin with its boundary.")
                return False
            del held[: place + len(mark)]
            self._begun = True
        if held.startswith(b"--"):
            self._done = True
            return False
        end = held.find(b"\r\n\r\n")
        if end < 0 or end > _HEAD:
            if len(held) > _HEAD:
                raise ServingError("body", f"The head of a part has more than {_HEAD:,} bytes.")
            return False
        if not held.startswith(b"\r\n"):
            raise ServingError("schema", "A boundary of this form is not followed by a line break.")
        if len(self.parts) >= self.most:
            raise ServingError("body", f"This form has more than {self.most} parts.")
        self._head = _read_head(bytes(held[2:end]))
        del held[: end + 4]
        self._sought = 0
        return True

    def _data(self) -> bool:
        """To the next mark; whether it is there yet."""
        held, mark = self._held, self._mark
        place = held.find(mark, self._sought)
        if place < 0:
            self._sought = max(0, len(held) - len(mark) + 1)
            return False
        name, file = self._head or ("", False)
        with memoryview(held) as view:
            self.parts.append(Part(name, file, bytes(view[:place])))
        del held[: place + len(mark)]
        self._head, self._sought = None, 0
        return True


def _read_head(head: bytes) -> tuple[str, bool]:
    """A part's name, and whether it is a file."""
    name, file = "", False
    for line in head.decode("utf-8", "replace").split("\r\n"):
        key, _, value = line.partition(":")
        key = key.strip().lower()
        if key == "content-disposition":
            kind, _, rest = value.partition(";")
            if kind.strip().lower() != "form-data":
                raise ServingError("schema", "A part of this form is not form-data.")
            found = _NAME.search(rest)
            name = (found[1] if found[1] is not None else found[2]) if found else ""
            file = _FILE.search(rest) is not None
        elif key == "content-transfer-encoding" and value.strip().lower() not in ("binary", "8bit", "7bit"):
            raise ServingError("schema", "A part of this form is encoded for transfer; send its bytes as they are.")
    return name[:200], file
