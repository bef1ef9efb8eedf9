"""Answer over HTTP with models of the registry, or with bundles: an API, a page to try it, metrics and logs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._doors import server
from sightline.core.errors import SettingsError


def run(
    screen: Screen,
    models: Annotated[tuple[str, ...], "bundles, runs, or names in the registry; every model of it without any"] = (),
    *,
    registry: Annotated[str | None, "where the registry is, a folder or a database's URL"] = None,
    host: Annotated[str, "the address to listen on; any but this machine's own needs --token-file"] = "127.0.0.1",
    port: Annotated[int, "the port; 0 takes a free one"] = 8000,
    workers: Annotated[int, "processes that compute; as many as there are cores without it"] = 0,
    token_file: Annotated[Path | None, "tokens made by `sightline token new`; every call needs one then"] = None,
    allow_host: Annotated[tuple[str, ...], "a name under which it may be called, besides its address"] = (),
    allow_urls: Annotated[tuple[str, ...], "a host that pictures may be fetched from; none without it"] = (),
    predictions: Annotated[str, "the log of answers beside the registry: fast, durable or off"] = "fast",
    jobs: Annotated[tuple[str, ...], "a folder whose pictures batch jobs may name; no jobs without any"] = (),
    train: Annotated[bool, "let callers show pictures and have models trained on them"] = False,
    reuse_port: Annotated[bool, "let another service share the port, to take over without a gap"] = False,
    open_health: Annotated[bool, "answer health checks without a token, with yes or no and nothing else"] = False,
    limit: Annotated[tuple[str, ...], "how much may be asked, such as --limit rate=20 --limit body=4000000"] = (),
    set: Annotated[tuple[str, ...], "a setting of the engine, such as --set wait=1"] = (),
    log: Annotated[Path | None, "the file that log lines go to; standard error without it"] = None,
) -> dict[str, Any]:
    """Nothing, when it is told to stop."""
    rooms = server("starting")
    settings = rooms.settings_of(
        limit, host=host, port=port, reuse_port=reuse_port, tokens=token_file, hosts=allow_host, urls=allow_urls,
        open_health=open_health,
    )  # fmt: skip
    if workers < 0:
        raise SettingsError(f"--workers {workers}: 0 for as many as there are cores, else 1 or more.")
    return dict(rooms.start(settings, models, registry, workers, set, log, predictions, jobs, screen.say, train=train))
