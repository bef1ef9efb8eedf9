"""The first thing a request meets: is it well addressed, who asks, may they, is there room; then the route.

What must be fast goes straight to its function; everything else to the FastAPI app behind it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import secrets
import time
import traceback
from typing import Any
from urllib.parse import unquote_to_bytes

from sightline.core.errors import ServingError
from sightline.server.answering import INTERNAL, refusal, status_of
from sightline.server.bodies import Body, Gone, Message, Receive, Scope, Send, length_of
from sightline.server.inference import infer
from sightline.server.predicting import Call, Made, note_header, predict
from sightline.server.reach import hidden, hold
from sightline.server.service import Service
from sightline.server.teaching import teach

_REQUEST = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SMALL = 2**20  # bytes of a body on every other route
HEALTH = frozenset({"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"})
PAGES = frozenset({"/", "/api", "/favicon.ico"})
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURE: list[tuple[bytes, bytes]] = [
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


def scope_of(method: str, path: str) -> str:
    """What a token must be for: infer, read, train or admin; nothing where any token will do."""
    if path in HEALTH or path in PAGES or path.startswith("/assets/"):
        return ""
    if path.startswith("/admin/"):
        return "admin"
    if method == "POST" and (path.endswith(("/predict", "/infer")) or path == "/jobs"):
        return "infer"
    if method == "DELETE" and path.startswith("/jobs/"):
        return "infer"
    if method != "GET" and path.startswith(("/datasets/", "/trainings")):
        return "train"
    return "read"


def direct(method: str, path: str) -> tuple[str, str, str | None] | None:
    """Route, model and version of the routes that take pictures; of one of them the name is a data set's."""
    if method != "POST":
        return None
    parts = path.split("/")
    if len(parts) == 4 and parts[1] == "models" and parts[3] == "predict":
        return "/models/{name}/predict", parts[2], None
    if len(parts) == 4 and parts[1] == "datasets" and parts[3] == "pictures":
        return "/datasets/{name}/pictures", parts[2], None
    if parts[1:3] == ["v2", "models"] and parts[-1] == "infer":
        if len(parts) == 5:
            return "/v2/models/{name}/infer", parts[3], None
        if len(parts) == 7 and parts[4] == "versions":
            return "/v2/models/{name}/versions/{version}/infer", parts[3], parts[5]
    return None


class Door:
    """An ASGI application in front of another."""

    def __init__(self, service: Service, app: Any) -> None:
        self.service, self.app = service, app
        self._names = service.settings.names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"there is no door for {scope['type']}")
        began, service = time.perf_counter(), self.service
        call = Call(secrets.token_hex(8), "")
        path, method = scope["path"], scope["method"]
        inside = False
        body = Body(receive, service.settings.body, service.room, length_of(scope["headers"]))
        service.metrics.inflight.inc()
        try:
            inside = self._admit(scope, call, method, path)
            found = direct(method, path)
            if found is None:
                status, size = await self._behind(scope, body, send, call), 0
                return
            body.announced(service.settings.body)
            status, headers, made = await self._direct(call, found, body)
            await self._send(scope, send, call, status, headers, made)
            size = len(made)
        except Gone:
            status, size, call.code = 499, 0, "gone"
        except asyncio.CancelledError:
            status, size, call.code = 499, 0, "stopped"
            raise
        except Exception as error:  # noqa: BLE001 - told to the log, and to the caller as 500
            status, headers, made = self._refused(error, call)
            size = len(made)
            if method == "HEAD":
                made = b""
            await self._send(scope, send, call, status, headers, made, refused=True)
        finally:
            body.close()
            service.metrics.inflight.dec()
            if inside:
                service.rates.leave(call.caller)
            self._told(call, method, status, size, time.perf_counter() - began)

    def _admit(self, scope: Scope, call: Call, method: str, path: str) -> bool:
        """Everything that is decided from the head of a request; whether it counts as one in hand."""
        host = origin = token = b""
        hosts = 0
        for name, value in scope["headers"]:
            if name == b"host":
                host, hosts = value, hosts + 1
            elif name == b"authorization":
                token = value
            elif name == b"origin":
                origin = value
            elif name == b"x-request-id":
                if _REQUEST.fullmatch(value):
                    call.request = value.decode()
            else:
                note_header(call, name, value)
        call.query = scope["query_string"]
        if not (path in HEALTH and self.service.settings.open_health):  # probes call it by whatever address it has
            self._addressed(host, hosts, origin)
        call.caller = self._caller(scope, token, method, path, call)
        if path in HEALTH:
            return False  # never refused for the sake of others
        self.service.rates.enter(call.caller)
        return True

    def _addressed(self, host: bytes, hosts: int, origin: bytes) -> None:
        """A page elsewhere can make a browser call us, under our name or under one of its own; neither gets in."""
        text = host.decode("latin-1")
        found = _HOST.fullmatch(text)
        if hosts != 1 or not found:
            raise ServingError("schema", "The request must name its host once.")
        if self._names and (found[1] or found[2]).lower() not in self._names:
            raise ServingError("forbidden", "This service is not called by that name; add it with --allow-host.")
        if origin and origin.decode("latin-1").partition("://")[2].lower() != text.lower():
            raise ServingError("forbidden", "Pages of other origins may not ask this service.")

    def _caller(self, scope: Scope, token: bytes, method: str, path: str, call: Call) -> str:
        """Whose request it is; 401 or 403 where it may not be made."""
        service = self.service
        if service.keeper.open or (path in HEALTH and service.settings.open_health):
            client = scope.get("client")
            return f"near:{client[0]}" if client else "near"
        known = service.keeper.identify(_bearer(token))
        wanted = scope_of(method, path)
        if wanted and wanted not in known.scopes:
            raise ServingError("forbidden", f"This needs a token with the scope '{wanted}'.")
        if known.only and wanted:
            hold(known.only, path)
            call.only = known.only
        return known.id

    async def _direct(self, call: Call, found: tuple[str, str, str | None], body: Body) -> Made:
        call.route, model, which = found
        model = unquote_to_bytes(model).decode("utf-8", "replace") if "%" in model else model
        if not _NAME.fullmatch(model):
            raise ServingError("not_found", "No model and no data set has such a name.")
        if call.route == "/models/{name}/predict":
            return await predict(self.service, call, model, body)
        if call.route == "/datasets/{name}/pictures":
            return await teach(self.service, call, model, body)
        return await infer(self.service, call, model, which, body)

    async def _behind(self, scope: Scope, body: Body, send: Send, call: Call) -> int:
        """To the app, with the whole body in hand and our headers on what comes back; the status that it gave."""
        body.announced(SMALL)
        scope["state"] = {"call": call, "service": self.service, "status": 0}
        body.limit(SMALL)
        held = [{"type": "http.request", "body": await body.whole(), "more_body": False}]
        call.bytes_in = body.size

        async def receive() -> Message:
            return held.pop() if held else {"type": "http.disconnect"}

        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["state"]["status"] = message["status"]
                own = {name for name, _ in message["headers"]}
                more = [row for row in self._more(call) if row[0] not in own]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        try:
            await self.app(scope, receive, forward)
        except Exception as error:
            if not scope["state"]["status"]:
                raise
            self._fault(error, call)  # the app has answered, and hands on what it answered to
        finally:
            call.route = getattr(scope.get("route"), "path", "unknown")
        return int(scope["state"]["status"])

    def _more(self, call: Call) -> list[tuple[bytes, bytes]]:
        """Headers of every answer."""
        more = [*SECURE, (b"x-request-id", call.request.encode()), *self.service.rates.told(call.caller)]
        return [*more, (b"connection", b"close")] if self.service.draining else more

    def _refused(self, error: Exception, call: Call) -> Made:
        error = hidden(call.only, error)
        _, call.code, call.why = status_of(error)
        if call.code == INTERNAL:
            self._fault(error, call)
        return refusal(error, call.request)

    def _fault(self, error: Exception, call: Call) -> None:
        call.code = INTERNAL
        self.service.log("fault", request_id=call.request, trace="".join(traceback.format_exception(error)))

    async def _send(
        self, scope: Scope, send: Send, call: Call, status: int, headers: list[tuple[bytes, bytes]], made: bytes,
        *, refused: bool = False,
    ) -> None:  # fmt: skip
        """Answer; where a body is refused in the middle, the connection sees to it that this can be read."""
        headers = [*headers, (b"content-length", b"%d" % len(made)), *self._more(call)]
        refuse = scope.get("sightline.refuse") if refused else None
        if refuse is not None and refuse(status, headers, made):
            return
        answer = scope.get("sightline.answer")
        if answer is not None and answer(scope, status, headers, made):
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": made})

    def _told(self, call: Call, method: str, status: int, size: int, seconds: float) -> None:
        service, reply = self.service, call.reply
        code = call.code if call.code != "ok" or status < 400 else str(status)
        service.metrics.done(reply, code, seconds)
        if call.route in HEALTH and status == 200:
            return  # probes ask every second; only their refusals are news
        facts: dict[str, Any] = {
            "method": method if method.isalpha() else "?", "route": call.route, "status": status, "code": code,
            "seconds": round(seconds, 5), "bytes_in": call.bytes_in, "bytes_out": size, "caller": call.caller,
            "request_id": call.request,
        }  # fmt: skip
        if reply is not None:
            facts |= {"model": reply.model, "version": reply.number, "arm": reply.arm, "pictures": call.pictures}
        service.log("request", **facts)


def _bearer(value: bytes) -> str:
    """The token of `Bearer TOKEN`; or of a browser's `Basic`, whose password it is."""
    kind, _, rest = value.decode("latin-1").partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("utf-8", "replace").partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""
