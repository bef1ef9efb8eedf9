"""The steps of a chain between two models, as a worker runs them: a picture and what was found go in and come out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.applying import steps as parts
from sightline.applying.steps import Found, State, Step
from sightline.applying.text import from_text
from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.errors import InputError
from sightline.core.files import canonical, digest
from sightline.core.image import read_image, tidy
from sightline.serving import wire
from sightline.serving.wire import COMPUTING, DECODING, RESTING

CROPS = "crops"  # the stage that cuts things out for a model, instead of steps
DUMMY = 64  # rows and columns of the picture that warms steps


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A picture on its way between stages: its file, or pixels once a step has made others, and what was found."""

    data: bytes | np.ndarray
    found: tuple[Found, ...] = ()
    frame: int = 0  # how often pixels were moved


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """The pixels of each thing, or why it has none."""

    pixels: tuple[np.ndarray | InputError, ...]


@dataclass(frozen=True)
class Local:
    """Steps that are ready, and a hash that changes when one of them would answer otherwise."""

    steps: tuple[Step, ...]
    margin: float = 0.0

    @property
    def version(self) -> str:
        """Their hash."""
        return digest(canonical([dict(step.seal) for step in self.steps]))


def open_local(text: str) -> Local:
    """Steps from text, each tried once, so that what they need is loaded before the doors are shut."""
    if text.startswith(CROPS):
        return Local((), float(text.partition(" ")[2] or 0.0))
    ready = Local(tuple(parts.step(spec, None) for spec in from_text(text)))
    state = State(np.full((DUMMY, DUMMY, 3), 127, np.uint8))
    try:
        for place, step in enumerate(ready.steps, 1):
            state = step(state, place)
    except InputError:
        pass  # nothing is found in a gray picture
    return ready


class StageBench:
    """What a worker does for a stage; it speaks as `worker.Bench` does."""

    def __init__(self, ready: Local, mark: Any) -> None:
        self.ready, self.mark = ready, mark

    def answer(self, line: Mapping[str, Any], body: memoryview) -> list[Any]:
        """One message with what became of each picture."""
        begun, told, bodies, place = time.perf_counter(), [], list[Any](), 0
        for one in line["items"]:
            self.mark(one["id"], DECODING)
            try:
                row, parts_ = self._stage(one, body[place : place + one["size"]])
            except InputError as error:
                row, parts_ = {"code": error.code, "message": error.message[:500]}, []
            except Exception as error:  # noqa: BLE001 - a step's own code may raise anything
                row, parts_ = {"fault": f"{type(error).__name__}: {error}"[:300]}, []
            told.append({"id": one["id"], **row})
            bodies += parts_
            place += one["size"]
        self.mark(0, RESTING)
        busy = time.perf_counter() - begun
        return wire.packed({"items": told, "busy": busy, "compute": busy, "cpu": time.process_time()}, bodies)

    def _stage(self, one: Mapping[str, Any], data: memoryview) -> tuple[dict[str, Any], list[Any]]:
        carried, _ = carried_in(one["carried"], data)
        made = not isinstance(carried.data, bytes)
        pixels = (
            tidy(np.asarray(carried.data))
            if made
            else read_image(bytes(data[: one["carried"]["file"]]), name="picture")
        )
        self.mark(one["id"], COMPUTING)
        if not self.ready.steps:
            return crops_out(pixels, carried.found[-1].record, self.ready.margin)
        state = State(pixels, carried.found, carried.frame)
        for place, step in enumerate(self.ready.steps, len(carried.found) + 1):
            state = step(state, place)
        same = state.pixels is pixels and not made  # the file says it with fewer bytes
        after = Carried(b"" if same else state.pixels, state.found, state.frame)
        row, bodies = carried_out(after)
        return {"carried": row}, bodies


# ---------------------------------------------------------------------------------------------------- over the wire


def carried_out(carried: Carried) -> tuple[dict[str, Any], list[Any]]:
    """As a table and bytes."""
    bodies: list[Any] = []
    row: dict[str, Any] = {"frame": carried.frame, "found": []}
    if isinstance(carried.data, bytes):
        row["file"] = len(carried.data)
        bodies.append(carried.data)
    else:
        row |= {"dtype": carried.data.dtype.str, "shape": carried.data.shape}
        bodies.append(wire.flat(carried.data))
    for one in carried.found:
        told, columns = wire.record_out(one.record, None)
        row["found"].append({"step": one.step, "text": one.text, "size": one.size, "frame": one.frame, "record": told})
        bodies += columns
    return row, [body for body in bodies if len(body)]


def carried_in(row: Mapping[str, Any], body: memoryview) -> tuple[Carried, int]:
    """What `carried_out` told, and how many bytes it took."""
    data: bytes | np.ndarray
    if "file" in row:
        place = int(row["file"])
        data = bytes(body[:place])
    else:
        data, place = wire.array_in(row["dtype"], row["shape"], body, 0)
    found = []
    for one in row["found"]:
        record, taken = wire.record_in(one["record"], body[place:], ())
        place += taken
        size = (int(one["size"][0]), int(one["size"][1]))
        found.append(Found(int(one["step"]), str(one["text"]), record, size, int(one["frame"])))
    return Carried(data, tuple(found), int(row["frame"])), place


def crops_out(pixels: np.ndarray, record: Any, margin: float) -> tuple[dict[str, Any], list[Any]]:
    """What is in each box, a little wider by `margin`."""
    rows: list[Any] = []
    bodies: list[Any] = []
    boxes = record.boxes if isinstance(record, Objects) else np.zeros((0, 4))
    upright = boxes if boxes.shape[1] == 4 else geometry.upright(boxes)
    for x0, y0, x1, y1 in upright.astype(np.float64).tolist():
        wider, higher = margin * (x1 - x0), margin * (y1 - y0)
        left, top = max(0, int(np.floor(x0 - wider))), max(0, int(np.floor(y0 - higher)))
        part = pixels[top : max(top, int(np.ceil(y1 + higher))), left : max(left, int(np.ceil(x1 + wider)))]
        rows.append([part.dtype.str, part.shape] if part.size else None)
        bodies += [wire.flat(part)] if part.size else []
    return {"crops": rows}, bodies


def crops_in(rows: Sequence[Any], body: memoryview) -> tuple[Crops, int]:
    """What `crops_out` told."""
    made: list[np.ndarray | InputError] = []
    place = 0
    for row in rows:
        if row is None:
            made.append(InputError("empty", "it lies outside of the picture."))
            continue
        pixels, place = wire.array_in(row[0], row[1], body, place)
        made.append(pixels)
    return Crops(tuple(made)), place
