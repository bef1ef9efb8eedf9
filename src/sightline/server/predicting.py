"""The busiest route, without a framework: pictures in, answers out."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sightline.core.errors import InputError, ServingError, SightlineError
from sightline.server.answering import JSON, PNG, annotated, document, encoded, status_of
from sightline.server.bodies import Body
from sightline.server.reach import hidden
from sightline.server.reading import Options, Question, options_asked, question
from sightline.server.service import Service
from sightline.serving.asking import Ask, Reply
from sightline.serving.prediction import answered, refused

_HEADERS = {b"x-deadline": "deadline", b"x-version": "which"}  # options that a proxy or a client may set


@dataclass(slots=True)
class Call:
    """One request on its way through, and what the log will say of it."""

    request: str
    caller: str  # the token, or the address where none is needed
    subject: str = ""  # on whose behalf, as the header X-Caller says: equal ones get equal arms
    kind: str = ""  # content type
    accept: str = ""
    query: bytes = b""
    options: dict[str, str] = field(default_factory=dict)  # said in headers
    route: str = "unknown"
    reply: Reply | None = None
    pictures: int = 0
    code: str = "ok"
    why: str = ""
    bytes_in: int = 0
    only: tuple[str, ...] = ()  # the models that its token is kept to


Made = tuple[int, list[tuple[bytes, bytes]], bytes]  # status, headers, body


def note_header(call: Call, name: bytes, value: bytes) -> None:
    """Keep what a header says of the request."""
    if name == b"content-type":
        call.kind = value.decode("latin-1")
    elif name == b"accept":
        call.accept = value.decode("latin-1")
    elif name == b"x-caller":
        call.subject = value[:200].decode("latin-1")
    elif name in _HEADERS:
        call.options[_HEADERS[name]] = value.decode("latin-1")


async def predict(service: Service, call: Call, model: str, body: Body) -> Made:
    """`POST /models/{name}/predict`."""
    settings = service.settings
    options = options_asked(call.query, tuple(call.options.items()))
    asked = await question(body, call.kind, options, settings.parts, service.fetch)
    call.pictures, call.bytes_in = len(asked.pictures), body.size
    drawn = wants_picture(call.accept)
    if drawn and asked.several:
        raise ServingError("schema", "A picture comes back for one picture: send them one by one.")
    replies = await ask_all(service, call, model, asked)
    top = asked.options.top
    if not asked.several:
        only = replies[0]
        if isinstance(only, Exception):
            raise only
        call.reply = only
        if drawn:
            made = await asyncio.to_thread(annotated, asked.pictures[0], only, top)
            return 200, [(b"content-type", PNG), *_whose(only)], made
        return 200, [(b"content-type", JSON), *_whose(only)], encoded(document(only, top, call.request))
    return 200, [(b"content-type", JSON)], encoded(_listed(replies, top, call))


async def ask_all(service: Service, call: Call, model: str, asked: Question) -> list[Reply | Exception]:
    """Every picture's reply, or what went wrong with it alone."""
    options, until = asked.options, asked.options.until(service.settings.deadline)
    names = named(call, len(asked.pictures))
    asks = [
        _ask(model, picture, options, until, call, name) for picture, name in zip(asked.pictures, names, strict=True)
    ]
    if len(asks) == 1:
        found: list[Any] = [await _one(service, asks[0])]
    else:
        found = list(await asyncio.gather(*(_one(service, ask) for ask in asks)))
    call.reply = next((one for one in found if isinstance(one, Reply)), None)
    return found


def named(call: Call, count: int) -> list[str]:
    """The id of each picture, in the answer and in the log: the request's own where there is one picture."""
    return [call.request] if count == 1 else [f"{call.request}/{place}" for place in range(count)]


def _ask(model: str, picture: bytes | np.ndarray, options: Options, until: float, call: Call, name: str) -> Ask:
    subject = f"{call.caller}/{call.subject}" if call.subject else ""  # else a picture keeps its arm
    return Ask(
        model, picture, options.which, subject, until, options.level, options.least, options.seed, name,
        options.given,
    )  # fmt: skip


async def _one(service: Service, ask: Ask) -> Reply | Exception:
    began, log = time.perf_counter(), service.predictions
    try:
        reply = await service.engine.predict(ask)
    except SightlineError as error:
        if isinstance(error, InputError):
            service.metrics.unusable(error.code)
        if log is not None:
            await log.taken(refused(ask, error, digest_of(ask.data), time.perf_counter() - began))
        return error
    service.metrics.answered(reply)
    if log is not None:  # in durable mode, before the answer leaves
        await log.taken(answered(ask, reply, digest_of(ask.data), time.perf_counter() - began))
    return reply


def digest_of(data: bytes | np.ndarray) -> str:
    """What tells one picture from another in the log, where no picture is kept."""
    return hashlib.sha256(data if isinstance(data, bytes) else np.ascontiguousarray(data).data).hexdigest()


def _listed(replies: list[Reply | Exception], top: int, call: Call) -> dict[str, Any]:
    rows = []
    for one, name in zip(replies, named(call, len(replies)), strict=True):
        if isinstance(one, Reply):
            rows.append(document(one, top, name))
        else:
            status, code, message = status_of(hidden(call.only, one))
            rows.append({"error": message, "code": code, "status": status, "request_id": name})
            call.code = code
    return {"answers": rows, "request_id": call.request}


def wants_picture(accept: str) -> bool:
    """Whether a picture is asked for; JSON where both are."""
    return "image/png" in accept and "application/json" not in accept


def _whose(reply: Reply) -> list[tuple[bytes, bytes]]:
    return [(b"x-model-version", b"%d" % reply.number), (b"x-arm", reply.arm.encode("latin-1", "replace")[:64])]
