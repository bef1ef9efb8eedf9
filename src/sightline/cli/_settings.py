"""From a TOML file, `--set` words and flags to the two sections of settings; what stands closer to the command wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from sightline.core.errors import SettingsError, nearest
from sightline.core.settings import from_toml, from_words

SECTIONS = ("train", "task")


def sections(file: Path | None, words: Iterable[str], flags: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`train` and `task`, each perhaps empty."""
    merged: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for given in (from_toml(file) if file else {}, from_words(words)):
        for name, value in given.items():
            if name not in SECTIONS or not isinstance(value, dict):
                raise SettingsError(_unknown(name))
            merged[name] |= value
    merged["train"] |= {name: value for name, value in flags.items() if value is not None}
    return merged


def _unknown(name: str) -> str:
    from sightline.training.settings import Settings

    full = [f"train.{field.name}" for field in fields(Settings)]
    hint = f" Did you mean 'train.{name}'?" if f"train.{name}" in full else nearest(name, [*SECTIONS, *full])
    return f"no section of settings is called '{name}'.{hint} Sections: train (how to train) and task (the task's own)."
