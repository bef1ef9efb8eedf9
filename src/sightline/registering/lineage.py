"""What a bundle says of where it comes from, in the few lines that a registry keeps of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sightline.core.bundle import Bundle

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def described(bundle: Bundle) -> dict[str, Any]:
    """Task, figures and lineage: data, split, code, settings and parents."""
    card = bundle.model
    told = dict(card.get("lineage") or {})
    lineage = {
        "data": dict(card.get("data") or {}),
        "split": card.get("split"),
        "code": dict(card.get("versions") or {}),
        "settings": dict(card.get("settings") or {}),
        "options": dict(card.get("options") or {}),
        "trained": card.get("created"),
        "parents": [str(one) for one in told.pop("parents", [])],
        **told,
    }
    return {
        "task": str(card.get("task", "")),
        "model": str(card.get("model", "")),
        "figures": [dict(row) for row in card.get("metrics") or []],
        "lineage": lineage,
    }


def suggested(bundle: Bundle) -> str:
    """A name for a model that was given none: that of the data that it learnt from."""
    data: Mapping[str, Any] = bundle.model.get("data") or {}
    told = str(data.get("name") or "").split("?")[0].rsplit(":", 1)[-1].rsplit("/", 1)[-1]
    plain = re.sub(r"[^a-z0-9._-]+", "-", told.lower()).strip("-._")[:64]
    return plain if NAME.fullmatch(plain) else "model"
