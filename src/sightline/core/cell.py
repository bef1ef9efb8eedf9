"""The process in which strangers' bytes are decoded: it gives up what it does not need, then answers until it dies.

Started by `guarding` alone. A message is two lengths, a line of JSON and bytes; everything that arrives at the other
end is checked there, since this side may have been taken over.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import Any

LENGTHS = struct.Struct(">IQ")  # of the line, of the bytes
LIFE = 10_000  # pictures; then a fresh process takes over


def main() -> None:  # pragma: no cover - runs where nothing can be written down
    """Prepare, confine, say so, answer."""
    inwards, outwards = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what libraries print is not part of an answer
        os.dup2(nowhere, stream)
    import numpy  # noqa: F401 - before the door is shut
    import simplejpeg  # noqa: F401
    from PIL import Image

    from sightline.core import confining, decoding

    Image.preinit()
    decoding.decoders()
    send(outwards, {"protection": confining.confine(int(sys.argv[1])), "pid": os.getpid()})
    for turn in range(LIFE):
        asked = receive(inwards)
        if asked is None:
            break
        told, body = answer(*asked)
        send(outwards, {**told, "left": LIFE - 1 - turn}, body)
    os._exit(0)


def answer(asked: dict[str, Any], data: bytes) -> tuple[dict[str, Any], Any]:
    """What was asked of a picture, or the code and the line of its error."""
    import numpy as np

    from sightline.core import decoding
    from sightline.core.errors import InputError
    from sightline.core.limits import Limits

    limits, name, page = Limits(**asked["limits"]), asked["name"], asked["page"]
    try:
        if asked["do"] == "examine":
            return {"told": decoding.examine_here(data, name, page=page, limits=limits)}, b""
        least = tuple(asked["at_least"]) if asked["at_least"] else None
        how = {name: asked[name] for name in ("indices", "quick", "alpha")}
        pixels = decoding.decode_here(data, name, page=page, at_least=least, limits=limits, **how)
        if pixels.dtype.kind not in "biuf":
            raise InputError("unsupported", f"{name}: pixels of {pixels.dtype}.")
        pixels = np.ascontiguousarray(pixels)
        return {"shape": list(pixels.shape), "dtype": str(pixels.dtype)}, pixels
    except InputError as error:
        return {"code": error.code, "message": error.message[:500]}, b""
    except MemoryError:
        return {"code": "too_large", "message": f"{name}: more memory than a guarded worker has."}, b""


def send(handle: int, told: dict[str, Any], body: Any = b"") -> None:
    """One message."""
    line = json.dumps(told).encode()
    view = memoryview(body).cast("B") if len(body) else memoryview(b"")
    os.write(handle, LENGTHS.pack(len(line), len(view)) + line)
    done = 0
    while done < len(view):
        done += os.write(handle, view[done:])


def receive(handle: int) -> tuple[dict[str, Any], bytes] | None:
    """One message, or None when there will be no more."""
    head = exactly(handle, LENGTHS.size)
    if head is None:
        return None
    line, size = LENGTHS.unpack(head)
    asked, body = exactly(handle, line), exactly(handle, size)
    return None if asked is None or body is None else (json.loads(asked), bytes(body))


def exactly(handle: int, count: int) -> bytearray | None:
    """So many bytes of a pipe; None where it ends before."""
    held, done = bytearray(count), 0
    view = memoryview(held)
    while done < count:
        more = os.readv(handle, [view[done:]])
        if more == 0:
            return None
        done += more
    return held
