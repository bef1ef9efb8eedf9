"""All of a sample but its pictures as one JSON object, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sightline.core.annotations import KINDS, Annotation, from_json, to_json
from sightline.core.dataset import SIDES
from sightline.core.errors import InputError
from sightline.core.image import Image
from sightline.core.lost import Lost
from sightline.core.sample import Sample

KEYS = ("id", "truth", "given", "group", "split", "attributes")


def to_plain(sample: Sample, lost: Lost) -> dict[str, Any]:
    """What is there of a sample; what is no JSON is dropped and listed."""
    plain: dict[str, Any] = {"id": sample.id}
    if sample.truth is not None:
        plain["truth"] = to_json(sample.truth)
    for key in ("given", "group", "split", "attributes"):
        value = getattr(sample, key)
        if value is None or value == {}:
            continue
        value = dict(value) if isinstance(value, Mapping) else value
        if key == "split" and value not in SIDES:
            lost.drop(sample.id, f"split, which must be one of {', '.join(SIDES)}")
        elif not is_json(value):
            lost.drop(sample.id, f"{key} that are not plain JSON")
        else:
            plain[key] = value
    return plain


def is_json(value: Any) -> bool:
    """Whether a value reads back from JSON as it was."""
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == _listed(value))
    except (TypeError, ValueError, RecursionError):
        return False


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def load(text: str | bytes, where: str) -> Any:
    """The value that JSON holds."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError("label", f"{where}: not JSON ({str(error)[:100]}).") from error


def from_plain(plain: Mapping[str, Any], images: tuple[Image, ...], truth: Any, name: str, where: str) -> Sample:
    """The sample of `to_plain`; keys of others become attributes."""
    for key, kind in (("given", dict), ("attributes", dict), ("group", str), ("split", str), ("id", str)):
        if plain.get(key) is not None and not isinstance(plain[key], kind):
            raise InputError("label", f"{where}: '{key}' must be {'an object' if kind is dict else 'a string'}.")
    if plain.get("split") not in (None, *SIDES):
        raise InputError("label", f"{where}: split '{plain['split'][:40]}' is none of {', '.join(SIDES)}.")
    others = {key: value for key, value in plain.items() if key not in KEYS}
    return Sample(
        plain.get("id") or name,
        images,
        truth if truth is not None else truth_of(plain.get("truth"), where),
        plain.get("given") or {},
        plain.get("group"),
        plain.get("split"),
        {**others, **(plain.get("attributes") or {})},
    )


def truth_of(plain: Any, where: str) -> Annotation | None:
    """The record in JSON."""
    if plain is None:
        return None
    if not isinstance(plain, dict):
        raise InputError("label", f"{where}: 'truth' must be an object with a 'kind'.")
    try:
        return from_json(plain)
    except InputError as error:
        raise InputError(error.code, f"{where}: {error.message}") from error


def whole(data: Any) -> dict[str, Any]:
    """What is said of a data set as a whole."""
    kind = data.kind
    told = {"name": data.name, "names": list(data.names), "kind": None if kind is None else kind.__name__.lower()}
    return {**told, "details": dict(data.details)} if is_json(data.details) else told


def whole_of(told: Any, where: str) -> dict[str, Any]:
    """The words for a `Dataset` that `whole` wrote down, as far as they are there."""
    if not isinstance(told, dict):
        raise InputError("label", f"{where}: must be an object in braces.")
    names = told.get("names")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise InputError("label", f"{where}: 'names' must be a list of strings.")
    if told.get("kind") is not None and str(told["kind"]) not in KINDS:
        raise InputError("label", f"{where}: '{str(told['kind'])[:40]}' is no kind; known are {', '.join(KINDS)}.")
    if not isinstance(told.get("name") or "", str) or not isinstance(told.get("details") or {}, dict):
        raise InputError("label", f"{where}: 'name' must be a string, 'details' an object in braces.")
    words: dict[str, Any] = {"names": None if names is None else tuple(names), "details": told.get("details") or None}
    if told.get("kind") is not None:
        words["kind"] = KINDS[told["kind"]]
    return {**words, **({"name": told["name"]} if told.get("name") else {})}
