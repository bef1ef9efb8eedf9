"""Routes that change nothing: health, metrics, models, versions, and the same for inference clients.

FastAPI reads the annotations of what hangs on it, which this file therefore does not put off.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import sightline
from sightline.core.errors import RegistryError, ServingError
from sightline.registering.version import CHAMPION, Version
from sightline.server.inference import described
from sightline.server.metrics import of_engine
from sightline.server.reach import reaches
from sightline.server.reading import which_of
from sightline.server.service import Service, card_of
from sightline.server.shapes import About, Health, Model, ModelMetadata, Row, Rows, ServerMetadata, State, responses

_PLACE = re.compile(r"(?<![\w.])/(?:[^\s/:'\"]+/)+")


def add(app: Any, service: Service) -> None:
    """Hang the routes on the app."""
    _health(app, service)
    _models(app, service)
    _inference(app, service)


def _health(app: Any, service: Service) -> None:
    from fastapi.responses import Response

    async def live() -> Health:
        """Whether the process answers; also while it drains."""
        return Health("live")

    async def ready() -> Health:
        """Whether requests should be sent here; no as soon as it drains."""
        if not service.ready:
            raise ServingError(
                "draining" if service.draining else "not_ready", "The service takes no requests at present."
            )
        return Health("ready")

    async def metrics() -> Response:
        """Counts and times, as Prometheus reads them."""
        more: list[dict[str, Any]] = [of_engine(service.engine.state())]
        if service.predictions is not None:
            told = service.predictions.state()
            more.append({"log_dropped_total": ("Answers that the log did not take.", [({}, told["dropped"])])})
        page = await asyncio.to_thread(service.metrics.page, *more)
        return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def state() -> State:
        """Models, workers and queues, as they are now."""
        return State(service.ready, service.draining, without_places(service.engine.state()))

    for path in ("/health/live", "/v2/health/live"):
        app.get(path, responses=responses(), tags=["health"], operation_id=_called(path))(live)
    for path in ("/health/ready", "/v2/health/ready"):
        app.get(path, responses=responses(503), tags=["health"], operation_id=_called(path))(ready)
    text = {"description": "metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}
    app.get("/metrics", responses={**responses(), 200: text}, tags=["health"], response_class=Response,
            response_model=None)(metrics)  # fmt: skip
    app.get("/state", responses=responses(), tags=["health"])(state)


def without_places(value: Any) -> Any:
    """Plain JSON in which no reason says where a file lies."""
    if isinstance(value, str):
        return _PLACE.sub("…/", value)
    if isinstance(value, Mapping):
        return {str(key): without_places(inner) for key, inner in value.items()}
    return [without_places(inner) for inner in value] if isinstance(value, list | tuple) else value


def _called(path: str) -> str:
    return path.strip("/").replace("/", "_")


def row_of(service: Service, name: str) -> Row:
    """A model in the list."""
    try:
        aliases = service.source.aliases(name)
    except RegistryError as error:
        raise ServingError("not_found", error.message) from error
    return Row(name, aliases.get(CHAMPION), dict(aliases))


def about(version: Version) -> About:
    """A version as people and programs read it; where its files lie is nobody's business."""
    card = card_of(version.path, version.seal)
    names = card.get("facts", {}).get("names", [])
    return About(
        version.name, version.number, version.seal, version.created, version.note, str(card.get("task", "")),
        str(card.get("model", "")), [str(name) for name in names], card.get("metrics", {}),
        dict(card.get("thresholds", {})), dict(version.lineage),
    )  # fmt: skip


def _models(app: Any, service: Service) -> None:
    from fastapi import Request

    async def models(request: Request) -> Rows:
        """Every model that the token may see, and what its versions are called."""
        only = request.scope["state"]["call"].only

        def seen() -> Rows:
            return Rows([row_of(service, name) for name in sorted(service.source.names()) if reaches(only, name)])

        return await asyncio.to_thread(seen)

    def _model(name: str) -> Model:
        row, version = row_of(service, name), service.version(name)
        traffic = service.source.traffic(name)
        return Model(
            row.name, row.champion, row.aliases, traffic=None if traffic is None else dict(traffic),
            about=about(version),
        )  # fmt: skip

    async def model(name: str) -> Model:
        """One model and its champion."""
        return await asyncio.to_thread(_model, name)

    async def version(name: str, which: str) -> About:
        """One version, by number or alias."""
        asked = which_of(which)
        return await asyncio.to_thread(lambda: about(service.version(name, asked)))

    app.get("/models", responses=responses(), tags=["models"])(models)
    app.get("/models/{name}", responses=responses(404, 409), tags=["models"])(model)
    app.get("/models/{name}/versions/{which}", responses=responses(404, 409), tags=["models"])(version)


def _inference(app: Any, service: Service) -> None:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ServingError("not_found", "A version is called by its number here.")
        return int(text)

    async def server() -> ServerMetadata:
        """Who answers."""
        return ServerMetadata("sightline", sightline.__version__, [])

    async def metadata(name: str) -> ModelMetadata:
        """What goes into a model and what comes out."""
        return await asyncio.to_thread(described, service, name)

    async def version_metadata(name: str, version: str) -> ModelMetadata:
        """The same of one version."""
        return await asyncio.to_thread(described, service, name, number(version))

    async def ready(name: str) -> Health:
        """Whether a model answers."""
        await asyncio.to_thread(service.version, name)
        return _ready()

    async def version_ready(name: str, version: str) -> Health:
        """Whether one version answers."""
        await asyncio.to_thread(service.version, name, number(version))
        return _ready()

    def _ready() -> Health:
        if not service.ready:
            raise ServingError("not_ready", "The service takes no requests at present.")
        return Health("ready")

    base, tags = "/v2/models/{name}", ["open inference protocol"]
    app.get("/v2", responses=responses(), tags=tags)(server)
    app.get(base, responses=responses(404, 409), tags=tags)(metadata)
    app.get(base + "/versions/{version}", responses=responses(404, 409), tags=tags)(version_metadata)
    app.get(base + "/ready", responses=responses(404, 503), tags=tags)(ready)
    app.get(base + "/versions/{version}/ready", responses=responses(404, 503), tags=tags)(version_ready)
