"""Open Inference Protocol, version 2: the same models for clients that speak what other servers speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sightline.core.annotations import KINDS, Annotation, to_columns
from sightline.core.errors import ServingError, UnknownNameError
from sightline.server.answering import JSON, encoded
from sightline.server.bodies import Body
from sightline.server.predicting import Call, Made, ask_all
from sightline.server.reading import OPTIONS, Options, Question, decoded, options_of, parsed, pixels, tensor
from sightline.server.service import Service, card_of
from sightline.server.shapes import ModelMetadata, TensorMetadata
from sightline.serving.asking import Reply

NAMES = {
    "b1": "BOOL", "u1": "UINT8", "u2": "UINT16", "u4": "UINT32", "u8": "UINT64", "i1": "INT8", "i2": "INT16",
    "i4": "INT32", "i8": "INT64", "f2": "FP16", "f4": "FP32", "f8": "FP64",
}  # fmt: skip
_ASKED = {"id", "inputs", "outputs", "parameters"}
_COLUMNS = {  # of each record, as they come out: name, type, shape
    "labels": (("names", "BYTES", [-1]), ("scores", "FP32", [-1])),
    "value": (("names", "BYTES", [-1]), ("numbers", "FP32", [-1])),
    "objects": (("boxes", "FP32", [-1, 4]), ("classes", "INT64", [-1]), ("names", "BYTES", [-1]),
                ("scores", "FP32", [-1])),
    "regions": (("classes", "INT64", [-1, -1]), ("names", "BYTES", [-1])),
    "heatmap": (("scores", "FP32", [-1, -1]), ("score", "FP64", [1])),
    "picture": (("pixels", "UINT8", [-1, -1, -1]),),
    "text": (("text", "BYTES", [1]),),
    "vector": (("values", "FP32", [-1]),),
}  # fmt: skip


def described(service: Service, name: str, which: int | None = None) -> ModelMetadata:
    """Metadata of a model: what goes in and what comes out."""
    from sightline.core import catalog

    version = service.version(name, which)
    card = card_of(version.path, version.seal)
    try:
        kind = catalog.find("tasks", str(card["task"])).TASK.kind
    except UnknownNameError:  # a task of a later release, or of a package that is not here
        kind = None
    record = next((said for said, one in KINDS.items() if one is kind), "")
    numbers = sorted({version.number, *service.source.aliases(name).values()})
    outputs = [TensorMetadata(column, datatype, [-1, *shape]) for column, datatype, shape in _COLUMNS.get(record, ())]
    given = [TensorMetadata("picture", "BYTES", [-1])]
    return ModelMetadata(name, [str(number) for number in numbers], "sightline", given, outputs)


async def infer(service: Service, call: Call, model: str, which: str | None, body: Body) -> Made:
    """`POST /v2/models/{name}[/versions/{version}]/infer`."""
    plain = parsed(await body.whole())
    call.bytes_in = body.size
    if not set(plain) <= _ASKED:
        raise ServingError("schema", f"An inference request has {', '.join(sorted(_ASKED))}, and nothing else.")
    number = _number(which)
    options = _options(plain.get("parameters"))
    if number is not None:
        options = replace(options, which=number)
    pictures = _inputs(plain.get("inputs"), service.settings.parts)
    wanted = _wanted(plain.get("outputs"))
    name = plain.get("id")
    if name is not None and not (isinstance(name, str) and len(name) <= 200):
        raise ServingError("schema", "'id' must be text of at most 200 letters.")
    call.pictures = len(pictures)
    found = await ask_all(service, call, model, Question(pictures, options, several=len(pictures) > 1))
    replies: list[Reply] = []
    for one in found:
        if isinstance(one, Exception):
            raise one  # the protocol has no place for a batch of which a part went wrong
        replies.append(one)
    return 200, [(b"content-type", JSON)], encoded(_answer(replies, wanted, name or call.request, call))


def _number(which: str | None) -> int | None:
    if which is None:
        return None
    if not (which.isascii() and which.isdigit() and len(which) < 10):
        raise ServingError("not_found", "A version is called by its number here.")
    return int(which)


def _options(said: Any) -> Options:
    if said is None:
        return Options()
    if not isinstance(said, dict) or not all(
        isinstance(value, str | int | float) and not isinstance(value, bool) for value in said.values()
    ):
        raise ServingError("schema", "'parameters' must be an object of text and numbers.")
    return options_of({name: str(value) for name, value in said.items() if name in OPTIONS})


def _inputs(rows: Any, most: int) -> list[bytes | np.ndarray]:
    """One input, which holds a picture or a batch of them."""
    if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], dict):
        raise ServingError("schema", "'inputs' must be a list of one object: the pictures.")
    one = rows[0]
    if not {"name", "shape", "datatype", "data"} <= set(one) <= {"name", "shape", "datatype", "data", "parameters"}:
        raise ServingError("schema", "An input has 'name', 'shape', 'datatype', 'data', and may have 'parameters'.")
    shape, data = one["shape"], one["data"]
    if not isinstance(one["name"], str) or not isinstance(one.get("parameters", {}), dict):
        raise ServingError("schema", "The 'name' of an input is text, and its 'parameters' an object.")
    if one["datatype"] == "BYTES":
        if not isinstance(data, list) or not data or not all(isinstance(text, str) for text in data):
            raise ServingError("schema", "'data' of BYTES must be a list of base64 texts, one a picture.")
        if not isinstance(shape, list) or shape not in ([len(data)], [len(data), 1]):
            raise ServingError("schema", f"'shape' must be [{len(data)}], the number of pictures.")
        pictures: list[bytes | np.ndarray] = [decoded(text) for text in data]
    else:
        if one["datatype"] not in ("UINT8", "UINT16", "FP32"):
            raise ServingError("schema", "'datatype' must be BYTES (files), or UINT8, UINT16 or FP32 (pixels).")
        made = tensor(one["datatype"], shape, data)
        pictures = list(made) if made.ndim == 4 else [pixels(made)]
    if len(pictures) > most:
        raise ServingError("body", f"More than {most} pictures in one request.")
    return pictures


def _wanted(rows: Any) -> set[str] | None:
    if rows is None or rows == []:
        return None
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows
    ):
        raise ServingError("schema", "'outputs' must be a list of objects with a 'name'.")
    return {row["name"] for row in rows}


def columns_of(answer: Annotation) -> dict[str, np.ndarray]:
    """The columns of an answer that are tensors."""
    found = to_columns(answer)
    return {name: np.atleast_1d(column) for name, column in found.items() if name not in ("kind", "details")}


def _answer(replies: list[Reply], wanted: set[str] | None, name: str, call: Call) -> dict[str, Any]:
    each = [columns_of(reply.answer) for reply in replies]
    known = [column for column in each[0] if wanted is None or column in wanted]
    missing = sorted((wanted or set()) - set(each[0]))
    if missing:
        raise ServingError("schema", f"There is no output '{missing[0][:40]}'; there are {', '.join(each[0])}.")
    outputs = []
    for column in known:
        if len({(one[column].shape, one[column].dtype.kind) if column in one else None for one in each}) > 1:
            raise ServingError("schema", f"'{column}' differs in shape between the pictures: ask them one by one.")
        outputs.append(_output(column, [one[column] for one in each]))
    first = replies[0]
    about = {"version": first.number, "seal": first.seal, "arm": first.arm, "least": first.least}
    if first.decision is not None:
        unsure = [reply.decision.unsure if reply.decision else False for reply in replies]
        about["unsure"] = unsure[0] if len(unsure) == 1 else ",".join(str(one).lower() for one in unsure)
    about["request_id"] = call.request
    return {
        "model_name": first.model, "model_version": str(first.number), "id": name, "parameters": about,
        "outputs": outputs,
    }  # fmt: skip


def _output(name: str, rows: list[np.ndarray]) -> Mapping[str, Any]:
    shape = [len(rows), *rows[0].shape]
    if rows[0].dtype.kind == "U":
        width = [str(text) for row in rows for text in row.ravel()]
        return {"name": name, "datatype": "BYTES", "shape": shape, "data": width}
    stacked = np.stack(rows)
    plain = [None if value != value or abs(value) == float("inf") else value for value in stacked.ravel().tolist()]
    return {"name": name, "datatype": NAMES[stacked.dtype.str[1:]], "shape": shape, "data": plain}
