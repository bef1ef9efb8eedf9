"""From the words of a command to a service that listens, and three lines that say how to use it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sightline.core.errors import RegistryError, ServingError, SettingsError
from sightline.core.files import naming
from sightline.core.settings import fill, from_words
from sightline.registering.version import Source
from sightline.server.logs import Log
from sightline.server.named import Named
from sightline.server.predicting import digest_of
from sightline.server.running import listen, run
from sightline.server.service import Service, Teaching
from sightline.server.settings import ServerSettings
from sightline.serving.prediction import answered, refused

if TYPE_CHECKING:
    from sightline.serving.jobs import Jobs
    from sightline.serving.predictions import Predictions

Say = Callable[[str], None]
_OF_A_MODEL = ("version", "versions", "aliases", "traffic", "promote", "rollback", "set_traffic", "register")


def settings_of(limits: Sequence[str], **given: Any) -> ServerSettings:
    """The settings of a service; limits are `name=value` words and go no further than limits."""
    said = from_words(limits)
    taken = sorted(set(said) & {*given, "host", "port"})
    if taken:
        raise SettingsError(f"--limit {taken[0]}: this is no limit; say it with an option of its own.")
    return fill(ServerSettings, {**said, **given})


def start(
    settings: ServerSettings, models: Sequence[str], registry: str | None, workers: int, words: Sequence[str],
    log: Path | None, predictions: str, jobs: Sequence[str], say: Say, *, train: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Serve until told to stop; answers where it listened."""
    from sightline.core.extras import expect, need

    for name in ("fastapi", "httptools", "prometheus_client", "uvicorn"):
        need(name)
    settings.check()
    source = source_of(models, registry)
    for option, wanted in {"--jobs": bool(jobs), "--train": train}.items():
        if wanted and isinstance(source, Named):
            raise SettingsError(
                f"{option} goes with a registry, not with bundles: sightline register BUNDLE --name NAME"
            )
    if train:
        expect("torch")
    held = listen(settings)
    with contextlib.ExitStack() as stack:
        stack.callback(held.close)
        out = stack.enter_context(_opened(log)) if log else None
        kept = log_of(predictions, None if isinstance(source, Named) else registry or "", Log(out))
        if kept is not None:
            stack.callback(kept.close)
        engine = engine_of(source, workers, from_words(words), kept)
        service = Service.made(settings, source, engine, Log(out))
        service.predictions = kept
        if jobs:
            service.jobs = stack.enter_context(jobs_of(jobs, registry))
        if train:
            service.teaching = teaching_of(registry, settings, stack)
        run(service, held, lambda: _told(service, held, say), registry)
    return {"host": settings.host, "port": settings.port, "models": sorted(service.models)}


def _opened(log: Path) -> BinaryIO:
    """The file that log lines are added to."""
    with naming(log, None):
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("ab", buffering=0)


def source_of(models: Sequence[str], registry: str | None) -> Source:
    """Bundles where paths are named, else the registry, narrowed to the names that were given."""
    paths = [word for word in models if "=" in word or "/" in word or Path(word).exists()]
    if paths and len(paths) != len(models):
        odd = next(word for word in models if word not in paths)
        raise SettingsError(f"'{odd}' is no bundle, and others are: name either bundles or models of the registry.")
    if paths:
        if registry is not None:
            raise SettingsError("--registry goes with names of models, not with bundles.")
        return Named(paths)
    from sightline.registering.registry import open_registry

    found = open_registry(registry)
    return Only(found, models) if models else found


class Only:
    """A source narrowed to a few of its models; all else is as the source has it."""

    def __init__(self, source: Any, names: Sequence[str]) -> None:
        self._source, self._names = source, tuple(names)
        for name in names:
            source.version(name)

    def names(self) -> list[str]:
        """Those that were named."""
        return sorted(self._names)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._source, name)
        if name not in _OF_A_MODEL:
            return found

        def asked(model: str, *given: Any, **named: Any) -> Any:
            if model not in self._names:
                raise RegistryError(f"'{model[:100]}' is not served here. Models: {', '.join(self._names)}.")
            return found(model, *given, **named)

        return asked


def log_of(mode: str, registry: str | None, log: Log) -> Predictions | None:
    """The log of answers beside the registry; None where there is none, or where nobody wants it."""
    if mode not in ("fast", "durable", "off"):
        raise SettingsError(f"--predictions {mode}: must be fast, durable or off.")
    if mode == "off" or registry is None:
        return None
    from sightline.serving.places import PREDICTIONS, beside
    from sightline.serving.predictions import open_predictions

    return open_predictions(
        beside(registry or None, PREDICTIONS),
        mode="durable" if mode == "durable" else "fast",
        tell=lambda event: log("predictions", why=event.text),
    )


def jobs_of(folders: Sequence[str], registry: str | None) -> Jobs:
    """The queue of batch jobs; only pictures below these folders can be asked for."""
    from sightline.serving.jobs import open_jobs
    from sightline.serving.places import JOBS, beside, folder

    for place in folders:
        if not Path(place).is_dir():
            raise SettingsError(f"--jobs {place}: there is no such folder.")
    return open_jobs(beside(registry, JOBS), folder(registry), roots=[Path(place) for place in folders])


def teaching_of(registry: str | None, settings: ServerSettings, stack: contextlib.ExitStack) -> Teaching:
    """Data sets and trainings beside the registry."""
    from sightline.serving.examples import open_examples
    from sightline.serving.places import EXAMPLES, TRAININGS, beside, folder
    from sightline.serving.trainings import open_trainings

    each, total = settings.dataset_bytes, settings.stored_bytes
    place = beside(registry, f"{EXAMPLES}.db")
    examples = stack.enter_context(open_examples(place, folder(registry, EXAMPLES), each=each, total=total))
    queue = open_trainings(beside(registry, f"{TRAININGS}.db"), folder(registry, TRAININGS))
    return Teaching(examples, stack.enter_context(queue))


def engine_of(source: Source, workers: int, given: dict[str, Any], kept: Predictions | None) -> Any:
    """Whoever answers; what is asked in the shadow goes to the log."""
    from sightline.serving.asking import Ask, Reply
    from sightline.serving.engine import Engine
    from sightline.serving.settings import Settings

    def heard(ask: Ask, said: Reply | ServingError) -> None:
        if kept is not None:
            row = answered if isinstance(said, Reply) else refused
            kept.add(row(ask, said, digest_of(ask.data), shadow=True))  # type: ignore[arg-type]

    return Engine(source, fill(Settings, {"workers": workers, **given} if workers else given), shadow=heard)


def _told(service: Service, held: socket.socket, say: Say) -> None:
    """Where, what, and how to ask."""
    settings, port = service.settings, held.getsockname()[1]
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    where = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    names = sorted(service.models)
    token = "" if service.keeper.open else "-H 'Authorization: Bearer TOKEN' "
    say(f"listening on {where} ({'no token needed on this machine' if service.keeper.open else 'tokens needed'}); "
        f"a page to try it: {where}/ and its API: {where}/api")  # fmt: skip
    say(f"models: {', '.join(names) or 'none yet: sightline register BUNDLE --name NAME'}")
    say(f"ask: curl {token}-F picture=@photo.jpg {where}/models/{names[0] if names else 'NAME'}/predict")
