"""Routes by which callers teach: they show pictures, say what is so, have a model trained on it, and then ask it."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sightline.core.errors import InputError, RegistryError, ServingError
from sightline.server.answering import JSON, encoded, status_of
from sightline.server.bodies import Body
from sightline.server.looking import without_places
from sightline.server.multipart import Reader, boundary_of
from sightline.server.predicting import Call, Made
from sightline.server.reach import reaches, unknown
from sightline.server.reading import decoded, parsed, query_of
from sightline.server.service import Service, Teaching
from sightline.server.shapes import (
    DatasetState,
    DatasetStates,
    Taught,
    TrainingAsked,
    TrainingState,
    TrainingStates,
    responses,
)
from sightline.serving.examples import Held, example
from sightline.serving.training import USUAL, Training, Wish

LISTED = 100  # trainings, of those that a token may see
Shown = tuple[bytes, str | Mapping[str, Any], str]  # a picture, its label or its record, and its group
_SAID = ("picture", "label", "truth", "group")


async def teach(service: Service, call: Call, name: str, body: Body) -> Made:
    """`POST /datasets/{name}/pictures`: keep pictures; one that cannot be used harms no other."""
    teaching = _taught(service)
    shown = await _shown(call, body, service.settings.parts)
    call.pictures, call.bytes_in = len(shown), body.size
    made, refused = [], []
    for place, one in enumerate(shown):
        try:
            async with teaching.turn:
                made.append(await asyncio.to_thread(example, *one))
        except InputError as error:
            if len(shown) == 1:
                raise
            status, code, message = status_of(error)
            refused.append({"place": place, "error": message, "code": code, "status": status})
    if not made:
        raise ServingError("schema", f"None of the {len(shown)} pictures can be used; the first: {refused[0]['error']}")
    held = await asyncio.to_thread(teaching.examples.add, name, made)
    return 200, [(b"content-type", JSON)], encoded({**asdict(held), "taken": len(made), "refused": refused})


async def _shown(call: Call, body: Body, most: int) -> list[Shown]:
    """What a form, a document or a picture alone shows."""
    plain = call.kind.partition(";")[0].strip().lower()
    if plain == "multipart/form-data":
        return await _form(call.kind, body, most)
    if plain == "application/json":
        rows = parsed(await body.whole()).get("examples")
        if not isinstance(rows, list) or not 0 < len(rows) <= most:
            raise ServingError("schema", f"The body holds 'examples', a list of 1 to {most}.")
        return [_row(row) for row in rows]
    if plain.startswith("image/") or plain == "application/octet-stream":
        words = query_of(call.query)
        if not words.get("label") or set(words) - {"label", "group"}:
            raise ServingError("schema", "Say in the query what the picture shows: ?label=NAME, and perhaps group.")
        return [(await body.whole(), words["label"], words.get("group", ""))]
    raise ServingError("media", "Send a form whose fields are labels, a picture as it is with ?label=NAME, or JSON.")


async def _form(kind: str, body: Body, most: int) -> list[Shown]:
    reader = Reader(boundary_of(kind), most)
    async for piece in body.pieces():
        reader.feed(piece)
    parts = reader.close()
    words = {part.name: part.data[:4096].decode("utf-8", "replace") for part in parts if not part.file}
    if set(words) - {"group"}:
        raise ServingError("schema", "Fields of this form are files under their label, and perhaps 'group'.")
    shown: list[Shown] = [(part.data, part.name, words.get("group", "")) for part in parts if part.file]
    if not shown:
        raise ServingError("schema", "The form holds no file: curl sends one with -F dent=@photo.jpg")
    return shown


def _row(row: Any) -> Shown:
    if not isinstance(row, dict) or not isinstance(row.get("picture"), str) or set(row) - set(_SAID):
        raise ServingError("schema", "An example has 'picture' in base64, 'label' or 'truth', and perhaps 'group'.")
    said, group = row.get("label", row.get("truth")), row.get("group", "")
    if ("label" in row) == ("truth" in row) or not isinstance(said, str if "label" in row else dict):
        raise ServingError(
            "schema", "An example has either 'label', a text, or 'truth', an annotation as answers hold."
        )
    if not isinstance(group, str):
        raise ServingError("schema", "'group' is a text: examples of one group are never both learnt and tested.")
    return decoded(row["picture"]), said, group


def add(app: Any, service: Service) -> None:
    """Hang the routes on the app; FastAPI reads their annotations, which this file therefore does not put off."""
    _datasets(app, service)
    _trainings(app, service)


def _datasets(app: Any, service: Service) -> None:
    from fastapi import Request

    async def every(request: Request) -> DatasetStates:
        """The data sets that the token may see."""
        only, examples = _only(request), _taught(service).examples

        def seen() -> DatasetStates:
            return DatasetStates([_state(examples.held(name)) for name in examples.names() if reaches(only, name)])

        return await asyncio.to_thread(seen)

    async def one(name: str) -> DatasetState:
        """What a data set holds."""
        return _state(await asyncio.to_thread(_taught(service).examples.held, name))

    async def remove(name: str) -> DatasetState:
        """Forget a data set; models that learnt from it stay."""
        teaching = _taught(service)

        def gone() -> DatasetState:
            if teaching.trainings.of_dataset(name):
                raise ServingError("conflict", "A training needs it. Cancel that first, or wait for it.")
            held = teaching.examples.held(name)
            teaching.examples.remove(name)
            return _state(held)

        return await asyncio.to_thread(gone)

    async def never(name: str) -> None:
        """The door answers before any request comes here."""
        raise RuntimeError("a picture came past the door")

    tags = ["teaching"]
    app.get("/datasets", responses=responses(409), tags=tags, operation_id="list_datasets")(every)
    app.get("/datasets/{name}", responses=responses(404, 409), tags=tags, operation_id="dataset")(one)
    app.delete("/datasets/{name}", responses=responses(404, 409), tags=tags, operation_id="remove_dataset")(remove)
    app.post(
        "/datasets/{name}/pictures", summary="Show pictures, and say what is so", response_model=Taught,
        description="A form whose fields are labels and whose values are files; a picture as it is with `?label=NAME`; "
        "or JSON, whose truth may be any annotation. A picture that is known already is what is now said of it.",
        responses=responses(404, 409, 415, 422), tags=tags, operation_id="teach", openapi_extra=_BODY,
    )(never)  # fmt: skip


def _trainings(app: Any, service: Service) -> None:
    from fastapi import Request

    async def submit(body: TrainingAsked, request: Request) -> TrainingState:
        """Queue a training; the version that comes of it is asked like any other."""
        teaching, call = _taught(service), request.scope["state"]["call"]
        if not (reaches(call.only, body.dataset) and reaches(call.only, body.model)):
            raise unknown()
        most = service.settings.train_minutes
        minutes = min(USUAL, most) if body.minutes is None else body.minutes
        if minutes > most:
            raise ServingError("schema", f"'minutes' is {most:g} at most here.")
        wish = Wish(minutes, body.task, body.network, body.alias, body.seed)

        def queued() -> Training:
            held = teaching.examples.held(body.dataset)
            try:
                return teaching.trainings.submit(body.model, body.dataset, call.caller, wish, pictures=held.pictures)
            except RegistryError as error:  # a name or an alias that nothing can have
                raise ServingError("schema", error.message) from error

        return _training(await asyncio.to_thread(queued))

    async def every(request: Request) -> TrainingStates:
        """The trainings that the token may see, newest first."""
        only = _only(request)
        found = await asyncio.to_thread(lambda: _taught(service).trainings.every(most=10_000))
        return TrainingStates([_training(one) for one in found if reaches(only, one.model)][:LISTED])

    def _seen(request: Any, id: str) -> Training:
        found = _taught(service).trainings.status(id)
        if not reaches(_only(request), found.model):
            raise unknown()
        return found

    async def one(id: str, request: Request) -> TrainingState:
        """How far a training is, and what came of it."""
        return _training(await asyncio.to_thread(_seen, request, id))

    async def cancel(id: str, request: Request) -> TrainingState:
        """End a training that is not done."""
        seen = await asyncio.to_thread(_seen, request, id)
        return _training(await asyncio.to_thread(_taught(service).trainings.cancel, seen.id))

    tags = ["teaching"]
    app.post("/trainings", responses=responses(404, 409, 422), tags=tags, operation_id="submit_training")(submit)
    app.get("/trainings", responses=responses(409), tags=tags, operation_id="list_trainings")(every)
    app.get("/trainings/{id}", responses=responses(404, 409), tags=tags, operation_id="training")(one)
    app.delete("/trainings/{id}", responses=responses(404, 409), tags=tags, operation_id="cancel_training")(cancel)


def _taught(service: Service) -> Teaching:
    if service.teaching is None:
        raise ServingError("conflict", "This service does not learn: start it with --train.")
    return service.teaching


def _only(request: Any) -> tuple[str, ...]:
    return tuple(request.scope["state"]["call"].only)


def _state(held: Held) -> DatasetState:
    return DatasetState(held.name, held.kind, held.pictures, dict(held.names), held.bytes, held.changed)


def _training(one: Training) -> TrainingState:
    why, figures = str(without_places(one.why)), [dict(row) for row in one.figures]
    return TrainingState(
        one.id, one.model, one.dataset, one.state, str(without_places(one.note)), one.pictures, one.created, one.begun,
        one.ended, why, one.number, figures,
    )  # fmt: skip


_BODY: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string", "maxLength": 100}}
        for name in ("label", "group")
    ],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}
            },
            "application/json": {
                "schema": {
                    "type": "object", "required": ["examples"],
                    "properties": {
                        "examples": {
                            "type": "array", "minItems": 1,
                            "items": {
                                "type": "object", "required": ["picture"], "additionalProperties": False,
                                "properties": {
                                    "picture": {"type": "string", "contentEncoding": "base64"},
                                    "label": {"type": "string", "minLength": 1, "maxLength": 100},
                                    "truth": {"type": "object", "required": ["kind"]},
                                    "group": {"type": "string", "maxLength": 100},
                                },
                            },
                        },
                    },
                },
            },
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    },
}  # fmt: skip
