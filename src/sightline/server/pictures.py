"""The routes that take pictures, as the API describes them; `door` answers them without coming here."""

from __future__ import annotations

from typing import Any

from sightline.server.service import Service
from sightline.server.shapes import Answer, Answers, Inferred, responses

_PICTURE: dict[str, Any] = {
    "oneOf": [
        {"type": "string", "contentEncoding": "base64", "description": "base64 of a file's bytes"},
        {
            "type": "object", "required": ["data"], "additionalProperties": False,
            "properties": {"data": {"type": "string", "contentEncoding": "base64"}},
        },
        {
            "type": "object", "required": ["url"], "additionalProperties": False,
            "properties": {"url": {"type": "string", "maxLength": 2048}},
        },
        {
            "type": "object", "required": ["tensor"], "additionalProperties": False,
            "properties": {
                "tensor": {
                    "type": "object", "required": ["shape", "datatype", "data"], "additionalProperties": False,
                    "properties": {
                        "shape": {"type": "array", "minItems": 2, "maxItems": 4,
                                  "items": {"type": "integer", "minimum": 1}},
                        "datatype": {"enum": ["UINT8", "UINT16", "FP32"]},
                        "data": {"type": "array", "items": {}},
                    },
                },
            },
        },
    ],
}  # fmt: skip
_SCORE = {"type": "number", "minimum": 0, "maximum": 1}
_OPTIONS: dict[str, dict[str, Any]] = {
    "which": {"type": "string", "minLength": 1, "maxLength": 64},
    "level": _SCORE,
    "least": _SCORE,
    "deadline": {"type": "number", "minimum": 0.05, "maximum": 3600},
    "top": {"type": "integer", "minimum": 0, "maximum": 2147483647},
    "seed": {"type": "integer", "minimum": 0, "maximum": 2147483647},
}
_MEANS = {
    "which": "a version's number, or an alias; as the model's traffic says without it",
    "level": "how often the names that are given must hold the true one, such as 0.95",
    "least": "doubt a best name, and leave out things, that score less",
    "deadline": "seconds after which no answer is wanted",
    "top": "of names the best so many; all without it",
    "seed": "of a model that draws chance",
}
_GIVEN = {"type": "object", "description": "prompts, clicks, conditions"}
_DOCUMENT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "picture": _PICTURE,
        "pictures": {"type": "array", "minItems": 1, "items": _PICTURE},
        **_OPTIONS,
        "given": _GIVEN,
    },
    "oneOf": [{"required": ["picture"]}, {"required": ["pictures"]}],
}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "type": "object",
    "required": ["picture"],
    "properties": {
        "picture": {"type": "string", "format": "binary", "description": "a picture file; more parts, more pictures"},
    },
}
_INPUT = {
    "type": "object", "required": ["name", "shape", "datatype", "data"], "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "minItems": 1, "maxItems": 8, "items": {"type": "integer", "minimum": 1}},
        "datatype": {"enum": ["BYTES", "UINT8", "UINT16", "FP32"]},
        "data": {"type": "array", "minItems": 1, "items": {}},
        "parameters": {"type": "object"},
    },
}  # fmt: skip
_INFER = {
    "type": "object",
    "required": ["inputs"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "maxLength": 200},
        "inputs": {"type": "array", "minItems": 1, "maxItems": 1, "items": _INPUT},
        "outputs": {
            "type": "array",
            "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        },
        "parameters": {
            "type": "object",
            "properties": _OPTIONS,
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "number"}]},
        },
    },
}


def add(app: Any, service: Service) -> None:
    """Hang the routes on the app."""

    async def never(name: str) -> None:
        """The door answers before any request comes here."""
        raise RuntimeError("a picture came past the door")

    async def never_of(name: str, version: str) -> None:
        """The door answers before any request comes here."""
        raise RuntimeError("a picture came past the door")

    refused = responses(404, 409, 415, 422, 503, 504)
    answered = {
        "description": "the answer; with several pictures one row for each",
        "content": {"image/png": _BYTES},
    }
    app.post(
        "/models/{name}/predict",
        summary="Ask a model about a picture, or several",
        description="Send a form with files, a picture as it is, or JSON. `Accept: image/png` answers with the "
        "picture on which the answer is drawn, free of everything that the file said about itself.",
        response_model=Answer | Answers,
        responses={**refused, 200: answered},
        tags=["models"],
        operation_id="predict",
        openapi_extra={
            "parameters": [
                *(
                    {"name": name, "in": "query", "required": False, "schema": schema, "description": _MEANS[name]}
                    for name, schema in _OPTIONS.items()
                ),
                {
                    "name": "X-Caller",
                    "in": "header",
                    "required": False,
                    "schema": {"type": "string"},
                    "description": "on whose behalf: equal ones get equal versions where requests are shared",
                },
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "multipart/form-data": {"schema": _FORM},
                    "application/json": {"schema": _DOCUMENT},
                    "image/*": _BYTES,
                    "application/octet-stream": _BYTES,
                },
            },
        },
    )(never)
    extra = {"requestBody": {"required": True, "content": {"application/json": {"schema": _INFER}}}}
    for path, route in (("", never), ("/versions/{version}", never_of)):
        app.post(
            f"/v2/models/{{name}}{path}/infer",
            summary="Ask a model as the Open Inference Protocol does",
            description="One input: BYTES with base64 of picture files, or pixels.",
            response_model=Inferred,
            responses=refused,
            tags=["open inference protocol"],
            operation_id="infer_version" if path else "infer",
            openapi_extra=extra,
        )(route)
