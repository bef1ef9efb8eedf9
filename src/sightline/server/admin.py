"""Routes that change something: who answers, how requests are shared, and when the registry is looked at again."""

import asyncio
from typing import Any

from sightline.server.looking import row_of
from sightline.server.service import Service
from sightline.server.shapes import Changed, Health, Promotion, Rollback, Traffic, responses


def add(app: Any, service: Service) -> None:
    """Hang the routes on the app; FastAPI reads their annotations, which this file therefore does not put off."""
    from fastapi import Request

    async def _changed(name: str) -> Changed:
        row = await asyncio.to_thread(row_of, service, name)
        return Changed(row.name, row.aliases)

    async def promote(name: str, body: Promotion, request: Request) -> Changed:
        """Let a version answer under an alias, from now on; the answers of the one before stay as they were."""
        await asyncio.to_thread(service.version, name, body.which)
        await service.registry(_who(request), "promote", name, body.which, alias=body.alias)
        service.log("promoted", model=name, alias=body.alias)
        return await _changed(name)

    async def rollback(name: str, body: Rollback, request: Request) -> Changed:
        """Let an alias be what it was before its last promotion."""
        await service.registry(_who(request), "rollback", name, alias=body.alias)
        service.log("rolled back", model=name, alias=body.alias)
        return await _changed(name)

    async def traffic(name: str, body: Traffic, request: Request) -> Changed:
        """Share the requests of a model between versions; null gives all to the champion."""
        await service.registry(_who(request), "set_traffic", name, body.traffic)
        service.log("traffic", model=name)
        return await _changed(name)

    async def refresh() -> Health:
        """Look at the registry now, not in a second."""
        await service.engine.refresh()
        return Health("refreshed")

    tags = ["admin"]
    base = "/admin/models/{name}"
    app.post(base + "/promote", responses=responses(404, 409), tags=tags)(promote)
    app.post(base + "/rollback", responses=responses(404, 409), tags=tags)(rollback)
    app.put(base + "/traffic", responses=responses(404, 409), tags=tags)(traffic)
    app.post("/admin/refresh", responses=responses(409), tags=tags)(refresh)


def _who(request: Any) -> str:
    """Whose token it was, for the registry's log."""
    return str(request.scope["state"]["call"].caller)
