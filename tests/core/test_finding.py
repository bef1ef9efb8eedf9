"""Findings: ranked, and plain JSON."""

import json

import pytest

from sightline.core.finding import Finding, count_of, listed


def test_the_worst_come_first() -> None:
    found = [
        Finding("a", "note", "", (), 9),
        Finding("b", "stop", ""),
        Finding("c", "warn", "", (), 1),
        Finding("d", "warn", "", (), 2),
    ]
    assert [one.check for one in sorted(found, key=lambda one: one.rank)] == ["b", "d", "c", "a"]


def test_of_one_severity_the_more_harmful_comes_first() -> None:
    found = [Finding("a", "warn", "", (), 9, harm=0.1), Finding("b", "warn", "", (), 2, harm=0.2)]
    assert [one.check for one in sorted(found, key=lambda one: one.rank)] == ["b", "a"]


def test_plain_json() -> None:
    finding = Finding("a", "note", "text", ("1",), 1, "look", ("odd",), ("1", "2"), 0.5)
    assert json.loads(json.dumps(finding.to_json())) == {
        "check": "a",
        "severity": "note",
        "text": "text",
        "ids": ["1"],
        "count": 1,
        "do": "look",
        "details": ["odd"],
        "leave": ["1", "2"],
        "harm": 0.5,
    }


def test_a_detail_belongs_to_an_example() -> None:
    with pytest.raises(ValueError, match="2 examples but 1 details"):
        Finding("a", "note", "", ("1", "2"), 2, details=("odd",))


def test_numbers_and_lists_as_people_write_them() -> None:
    assert [count_of(n, "picture") for n in (1, 2000)] == ["1 picture", "2,000 pictures"]
    assert count_of(2, "copy", "copies") == "2 copies"
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(n) for n in range(1007)]) == "0, 1, 2, 3, 4 and 1,002 more"


def test_an_unknown_severity_is_our_bug() -> None:
    with pytest.raises(ValueError, match="stop, warn, note"):
        Finding("a", "bad", "")
