"""What a registry keeps of a bundle's own words."""

from pathlib import Path
from typing import Any

import pytest

from sightline.core.bundle import Bundle
from sightline.registering.lineage import NAME, described, suggested


def bundle(**model: Any) -> Bundle:
    return Bundle(Path("model"), model, {}, "0" * 64)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("drawn:parts?count=40&size=32", "parts"),
        ("photos/Weld Seams 2", "weld-seams-2"),
        ("s3://bucket/line-4", "line-4"),
        ("ÄÖ", "model"),
        ("..", "model"),
        ("", "model"),
        ("x" * 200, "x" * 64),
    ],
)
def test_a_model_is_called_as_its_data(data: str, name: str) -> None:
    assert suggested(bundle(data={"name": data})) == name
    assert NAME.fullmatch(name)


def test_a_bundle_that_says_little_is_described_all_the_same() -> None:
    said = described(bundle())
    assert (said["task"], said["model"], said["figures"]) == ("", "", [])
    assert said["lineage"]["parents"] == []
    assert suggested(bundle()) == "model"


def test_nothing_of_the_lineage_is_lost() -> None:
    card = {
        "task": "sort",
        "data": {"name": "parts", "fingerprint": "f"},
        "split": "hash",
        "versions": {"torch": "2"},
        "settings": {"epochs": 3},
        "options": {"several": True},
        "created": "today",
        "lineage": {"run": "parts-1", "best_epoch": 2, "parents": [7], "phases": [1]},
    }
    assert described(bundle(**card))["lineage"] == {
        "data": card["data"],
        "split": "hash",
        "code": {"torch": "2"},
        "settings": {"epochs": 3},
        "options": {"several": True},
        "trained": "today",
        "parents": ["7"],
        "run": "parts-1",
        "best_epoch": 2,
        "phases": [1],
    }
