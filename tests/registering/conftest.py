"""Small true bundles, and a registry to keep them in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core import bundle
from sightline.registering.registry import Registry, open_registry

Make = Callable[..., Path]


def model(**more: Any) -> dict[str, Any]:
    figure = {"name": "accuracy", "value": 0.9, "low": 0.8, "high": 0.95, "level": 0.95, "count": 20}
    return {
        "task": "sort",
        "model": "small",
        "data": {"name": "drawn:parts?count=40", "fingerprint": "f00d"},
        "split": "5911",
        "versions": {"sightline": "0.1.0"},
        "settings": {"epochs": 2},
        "metrics": [figure],
        "lineage": {"run": "parts-1", "best_epoch": 2, "parents": ["parts-0"]},
        **more,
    }


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A bundle whose weights are its number."""
    from safetensors.numpy import save

    def made(number: int, where: str = "", **more: Any) -> Path:
        files = {"weights.safetensors": save({"layer": np.full((4, 5), number, np.float32)}), "card.md": b"# A model\n"}
        return bundle.save(tmp_path / (where or f"bundle-{number}"), model(**more), files)

    return made


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with open_registry(tmp_path / "registry", who="ann") as opened:
        yield opened
