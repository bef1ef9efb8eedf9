"""Findings: ranked, and plain JSON."""

import json

import pytest

from sightline.core.finding import Finding


def test_the_worst_come_first() -> None:
    found = [
        Finding("a", "note", "", (), 9),
        Finding("b", "stop", ""),
        Finding("c", "warn", "", (), 1),
        Finding("d", "warn", "", (), 2),
    ]
    assert [one.check for one in sorted(found, key=lambda one: one.rank)] == ["b", "d", "c", "a"]


def test_plain_json() -> None:
    plain = json.loads(json.dumps(Finding("a", "note", "text", ("1",), 1).to_json()))
    assert plain == {"check": "a", "severity": "note", "text": "text", "ids": ["1"], "count": 1}


def test_an_unknown_severity_is_our_bug() -> None:
    with pytest.raises(ValueError, match="stop, warn, note"):
        Finding("a", "bad", "")
