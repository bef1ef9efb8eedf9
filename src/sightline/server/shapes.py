"""What comes back and goes in, as the API describes it: plain dataclasses that FastAPI turns into schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

_STATUS = {
    400: "the request is not what the route takes", 401: "no token, or one that is not known",
    403: "the token may not do this, or the caller may not call", 404: "no such route, model or version",
    408: "the request came in too slowly", 409: "not in the state that this needs", 413: "more than the limits",
    415: "a type of content that is not taken", 422: "a picture that cannot be used; `code` says why",
    429: "too much at once: ask again after `Retry-After` seconds", 431: "too many headers, or too long",
    500: "a fault of the service", 503: "not ready, or about to stop: ask again", 504: "not within the time allowed",
}  # fmt: skip
ALWAYS = (400, 401, 403, 408, 413, 429, 431, 500)  # what any route may answer


class _AsWritten:
    """Tells pydantic to take a number for what it is: `true` and "1" are none."""

    def __get_pydantic_core_schema__(self, kind: Any, handler: Any) -> Any:
        return {**handler(kind), "strict": True}


Whole = Annotated[int, _AsWritten()]
Number = Annotated[float, _AsWritten()]


@dataclass
class Refusal:
    """Why there is no answer; `code` is stable, the text is for people."""

    error: str
    code: str
    request_id: str


def responses(*also: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides its own answer."""
    return {code: {"model": Refusal, "description": _STATUS[code]} for code in sorted({*ALWAYS, *also})}


@dataclass
class Health:
    """Yes or no."""

    status: str


@dataclass
class Thresholds:
    """The limits that an answer was held to."""

    least: float | None


@dataclass
class Judged:
    """What an answer of names comes to; `unsure` is "I don't know", and `why` says why."""

    best: str
    score: float
    names: list[str]
    level: float | None
    outlier: float | None
    why: str
    unsure: bool


@dataclass
class Answer:
    """An answer, whose it is, by which limits, and what it is unsure of."""

    model: str
    version: int
    seal: str
    arm: str
    kept: bool
    thresholds: Thresholds
    answer: dict[str, Any]
    decision: Judged | None
    seconds: dict[str, float]
    request_id: str


@dataclass
class Failed:
    """What went wrong with one picture of several."""

    error: str
    code: str
    status: int
    request_id: str


@dataclass
class Answers:
    """One row a picture, in order."""

    answers: list[Answer | Failed]
    request_id: str


@dataclass
class Row:
    """A model in the list."""

    name: str
    champion: int | None
    aliases: dict[str, int]


@dataclass
class Rows:
    """Every model."""

    models: list[Row]


@dataclass
class About:
    """A version of a model, as its bundle and the registry describe it."""

    name: str
    version: int
    seal: str
    created: str
    note: str
    task: str
    network: str
    names: list[str]
    metrics: Any
    thresholds: dict[str, Any]
    lineage: dict[str, Any]


@dataclass
class Model(Row):
    """A model: what it is called, how its requests are shared, and its champion."""

    traffic: dict[str, Any] | None
    about: About


class _Exact:
    """What goes in has these fields and no others, so that a misspelt one is not passed over."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - pydantic's own name, never changed


@dataclass
class Promotion(_Exact):
    """Which version becomes what."""

    which: Whole | str
    alias: str = "champion"


@dataclass
class Rollback(_Exact):
    """Which alias goes back to what it was before."""

    alias: str = "champion"


@dataclass
class Traffic(_Exact):
    """How requests are shared between versions; null: the champion answers all."""

    traffic: dict[str, Any] | None


@dataclass
class Changed:
    """What the names of a model's versions are now."""

    name: str
    aliases: dict[str, int]


@dataclass
class State:
    """What the service is doing."""

    ready: bool
    draining: bool
    engine: dict[str, Any]


@dataclass
class ServerMetadata:
    """Who answers."""

    name: str
    version: str
    extensions: list[str]


@dataclass
class TensorMetadata:
    """One input or output."""

    name: str
    datatype: str
    shape: list[int]


@dataclass
class ModelMetadata:
    """What goes into a model and what comes out."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


@dataclass
class Tensor:
    """Values of a shape."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


@dataclass
class Inferred:
    """The answer of an inference request."""

    model_name: str
    model_version: str
    id: str
    parameters: dict[str, Any]
    outputs: list[Tensor]


@dataclass
class JobAsked(_Exact):
    """Which model answers which folders."""

    model: str
    folders: list[str]
    which: Whole | str = "champion"
    least: Number | None = None
    level: Number | None = None


@dataclass
class JobState:
    """A job, and how far it has come."""

    id: str
    model: str
    version: int
    state: str
    total: int
    done: int
    failed: int
    created: float
    ended: float
    why: str


@dataclass
class JobStates:
    """Some jobs."""

    jobs: list[JobState]


@dataclass
class DatasetState:
    """What a data set holds: pictures, what kind of truth they have, and in how many each name occurs."""

    name: str
    kind: str
    pictures: int
    names: dict[str, int]
    bytes: int
    changed: float


@dataclass
class DatasetStates:
    """Some data sets."""

    datasets: list[DatasetState]


@dataclass
class NotTaken:
    """A picture of several that cannot be used."""

    place: int
    error: str
    code: str
    status: int


@dataclass
class Taught(DatasetState):
    """What it holds now, how many pictures were taken, and which were not."""

    taken: int
    refused: list[NotTaken]


@dataclass
class TrainingAsked(_Exact):
    """Which data set becomes the next version of which model, and in how much time."""

    dataset: str
    model: str
    minutes: Number | None = None
    task: str | None = None
    network: str | None = None
    alias: str | None = None
    seed: Whole = 0


@dataclass
class TrainingState:
    """A training, how far it is, the version that came of it, and what was measured on pictures it had not seen."""

    id: str
    model: str
    dataset: str
    state: str
    note: str
    pictures: int
    created: float
    begun: float
    ended: float
    why: str
    version: int
    figures: list[dict[str, Any]]


@dataclass
class TrainingStates:
    """Some trainings."""

    trainings: list[TrainingState]
