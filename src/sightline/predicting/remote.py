"""A model of a service elsewhere, asked for one picture at a time over a connection that is kept.

What comes back is read like anything a stranger sent. A service that does not answer is let alone for a while; one that
was set up otherwise than its caller believes is an error at once.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

import numpy as np

from sightline.core.annotations import Annotation, from_json, to_columns
from sightline.core.decisions import Decision
from sightline.core.errors import InputError, ServingError, SettingsError
from sightline.predicting.breaker import Breaker

TOKEN = "SIGHTLINE_TOKEN"  # noqa: S105 - the variable's name
FAILURES, REST = 3, 30.0  # so many failures in a row, then seconds of rest
LONGEST_REST = 300.0  # seconds; a service may ask for more
LARGEST_ANSWER = 64 * 2**20  # bytes
_BUSY = (429, 503)  # it may say when to come back
_SETTLED = {401: "unauthorised", 403: "forbidden", 404: "not_found"}  # whoever asks again is told the same
_HINTS = {
    401: "Give its token with --token-file, or in the variable SIGHTLINE_TOKEN.",
    403: "Use a token with the scope 'infer', and a name that the service answers to (--allow-host there).",
    404: "Name a model that it has, as in --ask http://host:8000/models/NAME.",
}


class Unanswered(Exception):
    """No answer this time, and why; the caller has another one."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """An answer from elsewhere, and which version gave it."""

    answer: Annotation
    decision: Decision | None
    by: str  # model@version


class Remote:
    """`POST /models/{name}/predict` of a service; close it, or use it with `with`."""

    def __init__(
        self, address: str, *, token: str = "", seconds: float = 10.0, failures: int = FAILURES, rest: float = REST
    ) -> None:
        if not 0.05 <= seconds <= 3600:
            raise SettingsError(f"wait = {seconds:g}: must be 0.05 to 3600 seconds.")
        self.address, self.seconds, self.breaker = address.rstrip("/"), seconds, Breaker(failures, rest)
        self.secure, self.host, self.port, self.target = _parts(self.address)
        self.sent = 0  # bytes of pictures, also of those that were not answered
        self._headers = {"Content-Type": "application/octet-stream", "Accept": "application/json",
                         "User-Agent": "sightline", "X-Deadline": f"{seconds:g}"}  # fmt: skip
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._connection: http.client.HTTPConnection | None = None
        self._trouble = ""

    @property
    def in_the_clear(self) -> bool:
        """Whether pictures and token travel unencrypted over a network."""
        return not self.secure and self.host not in ("localhost", "127.0.0.1", "::1")

    @property
    def resting(self) -> str:
        """Why it is not asked now; nothing where it may be."""
        return f"left alone, since {self._trouble}" if self.breaker.state == "open" else ""

    def ask(self, data: bytes, options: Mapping[str, float] | None = None) -> Heard:
        """What the model there says of a picture file; `Unanswered` where it says nothing now."""
        if not self.breaker.allows():
            raise Unanswered(self.resting)
        try:
            status, pause, body = self._exchange(data, options or {})
        except (OSError, http.client.HTTPException) as error:
            self.breaker.bad()
            raise self._unanswered(str(error) or type(error).__name__) from error
        if status == 200:
            return self._heard(body)
        said = f"it answers {status}{_said(body)}"
        if status in _SETTLED:
            self.breaker.neither()
            raise ServingError(_SETTLED[status], f"{self.address}: {said}. {_HINTS[status]}")
        if 300 <= status < 400:
            self.breaker.neither()
            raise SettingsError(f"{self.address}: {said}, which leads elsewhere. Give the address itself.")
        if status in _BUSY and pause is not None:
            self.breaker.later(min(pause, LONGEST_REST))
        elif status in _BUSY or status == 408 or status >= 500:
            self.breaker.bad()
        else:
            self.breaker.neither()  # this picture's fault
        raise self._unanswered(said)

    def _heard(self, body: bytes) -> Heard:
        try:
            heard = read(body)
        except InputError as error:
            self.breaker.bad()
            raise self._unanswered(f"its answer cannot be used: {error.message}") from error
        self.breaker.good()
        return heard

    def _unanswered(self, why: str) -> Unanswered:
        self._trouble = "".join(letter for letter in why if letter.isprintable())[:200]
        return Unanswered(self._trouble)

    def _exchange(self, data: bytes, options: Mapping[str, float]) -> tuple[int, float | None, bytes]:
        """Status, seconds that it asks to wait, and body; asked twice where a connection was closed while it rested."""
        kept = self._connection is not None and self._connection.sock is not None
        try:
            return self._once(data, options)
        except (ConnectionError, http.client.BadStatusLine):
            if not kept:
                raise
        return self._once(data, options)

    def _once(self, data: bytes, options: Mapping[str, float]) -> tuple[int, float | None, bytes]:
        connection = self._opened()
        target = f"{self.target}?{urlencode(options)}" if options else self.target
        late = threading.Event()
        watch = threading.Timer(self.seconds, _cut, (connection, late))
        watch.daemon = True
        watch.start()
        whole = False
        try:
            self.sent += len(data)
            try:
                connection.request("POST", target, data, self._headers)
            except (BrokenPipeError, ConnectionResetError):
                if connection.sock is None:
                    raise
                # It may have refused the body in its middle, and told why before it closed.
            answer = connection.getresponse()
            body = answer.read(LARGEST_ANSWER + 1)
            if len(body) > LARGEST_ANSWER:
                raise http.client.HTTPException(f"its answer has more than {LARGEST_ANSWER:,} bytes")
            if answer.length:
                raise http.client.HTTPException("its answer ends too early")
            whole = True
            return answer.status, _seconds(answer.getheader("Retry-After")), body
        except (OSError, http.client.HTTPException) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                raise TimeoutError(f"no answer within {self.seconds:g} s") from error
            raise
        finally:
            watch.cancel()
            if not whole or late.is_set():
                self.close()

    def _opened(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self.secure:
                self._connection = http.client.HTTPSConnection(
                    self.host, self.port, timeout=self.seconds, context=ssl.create_default_context()
                )
            else:
                self._connection = http.client.HTTPConnection(self.host, self.port, timeout=self.seconds)
        return self._connection

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def read(body: bytes) -> Heard:
    """The answer that a service wrote; what cannot be true is an `InputError`."""
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("label", "it is not JSON.") from error
    told = plain.get("answer") if isinstance(plain, dict) else None
    model, version = (plain.get("model"), plain.get("version")) if isinstance(plain, dict) else (None, None)
    if not isinstance(told, dict) or not isinstance(model, str) or type(version) is not int:
        raise InputError("label", "it has no answer, model and version.")
    answer = from_json(told)
    columns = to_columns(answer)
    numbers = [columns[name] for name in ("scores", "numbers", "values", "pixels") if name in columns]
    if not all(np.isfinite(array).all() for array in numbers if array.dtype.kind == "f"):
        raise InputError("label", "it holds numbers that are none.")
    scores = columns.get("scores")
    if scores is not None and scores.size and not -1e-6 <= float(scores.min()) <= float(scores.max()) <= 1 + 1e-6:
        raise InputError("label", "it has scores that are not from 0 to 1.")
    decision = None if plain.get("decision") is None else Decision.from_json(plain["decision"])
    return Heard(answer, decision, f"{model[:100]}@{version}")


def token_of(path: Path | None) -> str:
    """The token in a file, or in the environment; nothing where there is neither."""
    if path is None:
        text, where = os.environ.get(TOKEN, ""), TOKEN
    else:
        where = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{path}: no token can be read ({getattr(error, 'strerror', None) or error})."
            ) from error
    token = text.strip()
    if (path is not None and not token) or len(token) > 4096 or any(not "!" <= letter <= "~" for letter in token):
        raise SettingsError(f"{where} must hold one token and nothing else, as `sightline token new` showed it.")
    return token


def _parts(address: str) -> tuple[bool, str, int, str]:
    """Whether it is https, host, port and path of an address."""
    usual = "--ask takes the address of a model, such as http://host:8000/models/NAME"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"an address that cannot be read: {usual}.") from error
    if parts.username is not None or parts.password is not None:
        raise SettingsError(f"an address holds no user or password: {usual}, and a token goes into a file.")
    path = parts.path.removesuffix("/predict")
    named = path.rpartition("/models/")[2]
    wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
    if wrong or "/models/" not in path or not named or "/" in named or not address.isprintable():
        raise SettingsError(f"'{address}': {usual}.")
    secure = parts.scheme == "https"
    host = str(parts.hostname)
    return secure, host, port or (443 if secure else 80), f"{quote(path, safe='/%')}/predict"


def _said(body: bytes) -> str:
    """Code and line of a refusal, where it is one of ours."""
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    told = [str(plain[name]) for name in ("code", "error") if name in plain] if isinstance(plain, dict) else []
    line = ": ".join(told)[:200].rstrip(".")
    return f" ({line})" if line else ""


def _seconds(text: str | None) -> float | None:
    """Of a Retry-After that says seconds; a date is as good as nothing said."""
    return float(text) if text is not None and text.strip().isdecimal() and len(text) < 10 else None


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    """End a wait, however slowly bytes may trickle in."""
    late.set()
    held: Any = connection.sock
    if held is not None:
        try:
            socket.socket.shutdown(held, socket.SHUT_RDWR)
        except OSError:  # it has just ended by itself
            return
