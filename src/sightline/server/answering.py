"""From a reply to what goes over the wire: JSON with everything that stands behind an answer, or a picture of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels, to_json
from sightline.core.decisions import Decision
from sightline.core.errors import (
    InputError,
    RegistryError,
    ServingError,
    SettingsError,
    SightlineError,
    StorageError,
)
from sightline.serving.asking import Reply

JSON, PNG = b"application/json", b"image/png"
INTERNAL = "internal"
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
RETRY = {"queue_full": 1.0, "rate": 1.0, "worker_lost": 0.5, "not_ready": 2.0, "draining": 0.5}  # seconds


def document(reply: Reply, top: int, request: str) -> dict[str, Any]:
    """An answer, whose it is, by which limits, and what it is unsure of."""
    return {
        "model": reply.model,
        "version": reply.number,
        "seal": reply.seal,
        "arm": reply.arm,
        "kept": reply.kept,
        "thresholds": {"least": finite(reply.least)},
        "answer": to_json(shortened(reply.answer, top)),
        "decision": None if reply.decision is None else decided(reply.decision, top),
        "seconds": {name: round(value, 6) for name, value in reply.seconds.items()},
        "request_id": request,
    }


def decided(made: Decision, top: int) -> dict[str, Any]:
    """A decision as its own JSON; of very many names that it may be, as many as were asked for."""
    return {
        "best": made.best, "score": made.score, "names": list(made.names[:top] if top else made.names),
        "level": made.level, "outlier": made.outlier, "why": made.why, "unsure": made.unsure,
    }  # fmt: skip


def shortened(answer: Annotation, top: int) -> Annotation:
    """Of names with scores the `top` best."""
    if not top or not isinstance(answer, Labels) or answer.scores is None or len(answer.names) <= top:
        return answer
    order = answer.leading(top)
    return Labels(tuple([answer.names[place] for place in order.tolist()]), answer.scores[order], answer.outlier)


def finite(value: float) -> float | None:
    """A number that JSON can hold."""
    return value if value == value and abs(value) != float("inf") else None


def encoded(plain: Any) -> bytes:
    """JSON as short as it can be said."""
    return _written(plain).encode("utf-8", "replace")


def status_of(error: Exception) -> tuple[int, str, str]:
    """Status, code and line of what went wrong; of our own faults nothing is told."""
    if isinstance(error, ServingError):
        return error.status, error.code, error.message
    if isinstance(error, InputError):
        return 422, error.code, error.message
    if isinstance(error, RegistryError):
        return 409 if getattr(error, "conflict", False) else 404, error.code, error.message
    if isinstance(error, SettingsError):  # a level, for instance, at which a model has no sets
        return 400, error.code, error.message
    if isinstance(error, StorageError):
        return 503, error.code, "The disk of the service refused a write."
    if isinstance(error, SightlineError):
        return 409, error.code, "The service cannot do this as it stands; its log says why."
    return 500, INTERNAL, "The service failed; its log says why."


def refusal(error: Exception, request: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of what went wrong."""
    status, code, message = status_of(error)
    headers = [(b"content-type", JSON)]
    if code in RETRY and status in (429, 503):
        wait = getattr(error, "retry_after", None)
        headers.append((b"retry-after", b"%d" % max(1, round(RETRY[code] if wait is None else wait))))
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="sightline", Basic realm="sightline", charset="UTF-8"'))
    return status, headers, encoded({"error": message, "code": code, "request_id": request})


def annotated(data: bytes | np.ndarray, reply: Reply, top: int) -> bytes:
    """The picture with its answer drawn on it, as PNG with nothing in it but pixels; decoded behind the guard."""
    from sightline.core.encoding import encode_as
    from sightline.core.guarding import standing
    from sightline.overlays import draw

    pixels = standing().read(data, "picture") if isinstance(data, bytes) else data
    return encode_as(draw(pixels, shortened(reply.answer, top), least=320), ".png")
