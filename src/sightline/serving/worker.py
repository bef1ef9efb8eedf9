"""A worker: it gives up what it does not need, then decodes strangers' pictures and answers until the front hangs up.

Everything from a file's bytes to the decision happens here, so that a request is two short messages and its cost lies
where the cores are. What it says is checked at the other end, since it may have been taken over.
"""

from __future__ import annotations

import json
import mmap
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, to_columns
from sightline.core.cell import exactly
from sightline.core.decisions import decide, settings_of
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage, Encoded, Image, tidy
from sightline.core.sample import Sample
from sightline.core.task import Arrays
from sightline.predicting.model import Model
from sightline.serving import wire
from sightline.serving.wire import COMPUTING, DECODING, HEAD, MARK, RESTING


class Mark:
    """Where the worker is, in memory that the front reads when it has died."""

    def __init__(self, memory: mmap.mmap) -> None:
        self.memory = memory

    def __call__(self, item: int, doing: int) -> None:
        MARK.pack_into(self.memory, 0, item, doing)


@dataclass(frozen=True, slots=True, eq=False)
class Marked(Encoded):
    """A stranger's picture: whoever asks for its bytes is about to decode them."""

    data: bytes
    item: int
    mark: Mark
    name: str = "picture"

    def encoded(self) -> bytes:
        self.mark(self.item, DECODING)
        return self.data


class Bench:
    """A model with what a worker needs around it."""

    def __init__(self, model: Model, mark: Mark) -> None:
        self.mark, self.computed, self.first = mark, 0.0, 0
        self.model = replace(model, run=self._timed)
        self._run, self.several = model.run, model.task.several
        self.names = model.facts.names
        self.settled: dict[float | None, dict[str, Any]] = {}
        self.swollen = False  # whether a picture took all memory there is; what took it may never give it back

    def _timed(self, arrays: Arrays) -> Arrays:
        self.mark(self.first, COMPUTING)
        begun = time.perf_counter()
        try:
            return self._run(arrays)
        finally:
            self.computed += time.perf_counter() - begun

    def answer(self, line: Mapping[str, Any], body: memoryview) -> list[Any]:
        """One message with the answers to a group, each with what it took."""
        begun, self.computed = time.perf_counter(), 0.0
        asked, samples, place = line["items"], [], 0
        for one in asked:
            samples.append(
                Sample("picture", (self._image(one, body[place : place + one["size"]]),), given=one.get("given", {}))
            )
            place += one["size"]
        self.first = asked[0]["id"]
        told, bodies = self._answered(asked, samples, line["seed"])
        self.mark(0, RESTING)
        busy = time.perf_counter() - begun
        said = {"items": told, "busy": busy, "compute": self.computed, "cpu": time.process_time()}
        said["swollen"] = self.swollen
        return wire.packed(said, bodies)

    def _image(self, one: Mapping[str, Any], data: memoryview) -> Image:
        if "dtype" in one:
            pixels, _ = wire.array_in(one["dtype"], one["shape"], data, 0)
            return ArrayImage(tidy(pixels), "picture")
        return Marked(bytes(data), one["id"], self.mark)

    def _answered(
        self, asked: Sequence[Mapping[str, Any]], samples: list[Sample], seed: int
    ) -> tuple[list[dict[str, Any]], list[Any]]:
        told: list[dict[str, Any]] = []
        bodies: list[Any] = []
        try:
            given = list(self.model.predict_all(samples, seed=seed, batch=len(samples)))
        except Exception as error:  # noqa: BLE001 - the runtime's, or of a model's own code
            if len(samples) > 1:
                for one, sample in zip(asked, samples, strict=True):
                    rows, parts = self._answered([one], [sample], seed)
                    told, bodies = told + rows, bodies + parts
                return told, bodies
            return [{"id": asked[0]["id"], "fault": f"{type(error).__name__}: {error}"[:300]}], []
        for one, (_, answer) in zip(asked, given, strict=True):
            row, parts = self._told(one, answer)
            told.append({"id": one["id"], **row})
            bodies += parts
        return told, bodies

    def _told(self, one: Mapping[str, Any], answer: Annotation | InputError) -> tuple[dict[str, Any], list[Any]]:
        if isinstance(answer, InputError):
            self.swollen |= isinstance(answer.__cause__, MemoryError)
            return {"code": answer.code, "message": answer.message[:500]}, []
        least = one.get("least")
        if least not in self.settled:
            if len(self.settled) > 100:
                self.settled.clear()
            self.settled[least] = settings_of(self.model.card["thresholds"], self.several, least)
        decided = decide(answer, **self.settled[least])
        decision = None if self.several else self.model.judge(decided, level=one.get("level"), least=least)
        row, parts = wire.record_out(decided, self.names)
        return row | {"decision": wire.decision_out(decision)}, parts


def serve(bench: Any, door: socket.socket) -> None:
    """Answer until the other side has gone."""
    handle = door.fileno()
    while True:
        head = exactly(handle, HEAD.size)
        if head is None:
            return
        line, size = HEAD.unpack(head)
        told, body = exactly(handle, line), exactly(handle, size)
        if told is None or body is None:
            return
        send(handle, bench.answer(json.loads(told), memoryview(body)))


def send(handle: int, buffers: Sequence[Any]) -> None:
    """A whole message; `sendmsg` is a call that a confined process may not make."""
    if sum(map(len, buffers)) < 2**16:
        buffers = [b"".join(buffers)]
    for buffer in buffers:
        view = memoryview(buffer).cast("B") if len(buffer) else memoryview(b"")
        while view:
            view = view[os.write(handle, view) :]


def finite(answer: Annotation) -> bool:
    """Whether an answer's numbers are numbers; those of things that need not be there are not looked at."""
    columns = to_columns(answer)
    looked = [columns[name] for name in ("scores", "score", "numbers", "values", "pixels") if name in columns]
    return all(bool(np.isfinite(array).all()) for array in looked if array.dtype.kind == "f")
