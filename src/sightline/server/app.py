"""The FastAPI app behind the door: every route with what it takes and gives, and one way to say no."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.resources import files
from typing import Any

import sightline
from sightline.core.errors import ServingError
from sightline.server.answering import encoded, refusal
from sightline.server.door import Door, scope_of
from sightline.server.reach import hidden
from sightline.server.service import Service

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
TITLE = "Sightline"
_ABOUT = """From pictures to decisions: every answer names its model, version and limits, and says what it is unsure of.
Errors are `{"error", "code", "request_id"}` with a stable code."""


def made(service: Service) -> Door:
    """The door of a service, with every route behind it."""
    return Door(service, api(service))


def api(service: Service) -> Any:
    """The app itself; it is never called but through the door."""
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError

    from sightline.server import admin, batches, looking, pictures, teaching

    app = FastAPI(
        title=TITLE, version=sightline.__version__, description=_ABOUT, docs_url=None, redoc_url=None,
        openapi_url=None, redirect_slashes=False,
    )  # fmt: skip
    for status in (400, 404, 405):
        app.add_exception_handler(status, _plain)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _refused)
    app.add_exception_handler(sightline.SightlineError, _refused)
    for room in (looking, pictures, batches, teaching, admin):
        room.add(app, service)
    _own_files(app)
    described = encoded(describe(app, tokens=not service.keeper.open))
    app.add_route("/openapi.json", partial(_told, described), include_in_schema=False)
    return app


async def _told(described: bytes, request: Any) -> Any:
    from fastapi.responses import Response

    return Response(described, media_type="application/json")


def describe(app: Any, *, tokens: bool = True) -> dict[str, Any]:
    """The OpenAPI document: FastAPI's, without the refusals that are not ours, with who may call what."""
    from fastapi.openapi.utils import get_openapi

    plain: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = plain["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    if tokens:
        plain["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in plain["paths"].items():
        for method, said in methods.items():
            wrong = said["responses"].get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if wrong.get("$ref", "").endswith("HTTPValidationError"):
                del said["responses"]["422"]
            said["security"] = [{"token": []}] if tokens else []
            said["x-scope"] = scope_of(method.upper(), path)
    return plain


async def _plain(request: Any, error: Any) -> Any:
    """The framework's own refusals: no such route, another method."""
    if error.status_code == 405:
        path = request.scope["path"]
        takes = {
            method for route in request.app.routes if route.path_regex.match(path) for method in route.methods or ()
        }
        allowed = ", ".join(sorted(takes - {"HEAD"}))
        return _response(request, ServingError("method", f"This route takes {allowed}."), {"Allow": allowed})
    if error.status_code == 404:
        return _response(request, ServingError("not_found", "There is no such route; /openapi.json lists them."))
    return _response(request, ServingError("schema", "The request is not what this route takes."))


async def _invalid(request: Any, error: Any) -> Any:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])[:100]
    return _response(request, ServingError("schema", f"{place}: {first['msg']}."))


async def _refused(request: Any, error: Exception) -> Any:
    return _response(request, error)


def _response(request: Any, error: Exception, more: dict[str, str] | None = None) -> Any:
    from fastapi.responses import Response

    call = request.scope["state"]["call"]
    status, headers, body = refusal(hidden(call.only, error), call.request)
    call.code = json.loads(body)["code"]
    return Response(body, status, {**{name.decode(): value.decode() for name, value in headers}, **(more or {})})


Handler = Callable[[Any], Awaitable[Any]]


def _own_files(app: Any) -> None:
    """The page and what it is made of: read once, served from memory, nothing but what is listed."""
    from fastapi.responses import Response

    folder = files("sightline.server") / "assets"
    held = {item.name: item.read_bytes() for item in folder.iterdir() if "." in item.name}

    def sender(name: str) -> Handler:
        kind = _TYPES["." + name.rpartition(".")[2]]

        async def send(request: Any) -> Any:
            return Response(held[name], media_type=kind)

        return send

    for name in held:
        if not name.endswith(".html"):
            app.add_route(f"/assets/{name}", sender(name), include_in_schema=False)
    app.add_route("/", sender("page.html"), include_in_schema=False)
    app.add_route("/api", sender("api.html"), include_in_schema=False)
    app.add_route("/favicon.ico", sender("mark.svg"), include_in_schema=False)
