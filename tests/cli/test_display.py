"""What people and machines see of a stage at work."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from sightline.cli import _display
from sightline.cli._display import Screen, plain
from sightline.cli._lines import answer_line, columns, figure_line
from sightline.core.annotations import Heatmap, Labels, Objects, Picture, Regions, Text, Value, Vector
from sightline.core.progress import Event

EPOCH = {"epoch": 2, "epochs": 9, "loss": 0.5, "val": {"accuracy": 0.75, "f1": None}, "seconds": 1.25, "best": True}


def test_plain_lines_are_few(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with Screen("train") as screen:
        for number in range(50):
            screen.tell(Event("progress", "", {"done": number, "total": 50, "epoch": 2}))
            screen.tell(Event("skip", f"skipped {number}: corrupt"))
        screen.tell(Event("epoch", "epoch 2/9", EPOCH))
        monkeypatch.setattr(_display, "_PATIENCE", -1.0)
        screen.tell(Event("progress", "", {"done": 7, "total": 50, "epoch": 3}))
        screen.tell(Event("warn", "back to step 3"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["skipped 0: corrupt", "skipped 1: corrupt"]
    assert lines[20:] == [
        "epoch 2/9  loss 0.5  accuracy 0.75  f1 none  1.2 s  best",
        "epoch 3 7 of 50",
        "warning: back to step 3",
        "and 30 more were skipped",
    ]


def test_a_terminal_gets_the_same_lines_above_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Screen("train") as screen:
        screen.tell(Event("progress", "", {"done": 1, "total": 2, "epoch": 1}))
        screen.tell(Event("epoch", "", EPOCH))
        screen.tell(Event("skip", "skipped [red]x[/red]\x1b[2J"))
    said = capsys.readouterr().err
    assert "accuracy 0.75" in said
    assert "[red]x[/red]" in said
    assert "\x1b[2J" not in said


def test_machines_get_json_that_json_can_hold(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen("train", json=True) as screen:
        screen.say("not for machines")
        screen.tell(Event("note", "x", {"loss": math.nan, "path": Path("a"), "array": np.arange(2)}))
    screen.answer({"value": np.float32("inf"), "rows": (1, 2)})
    heard = capsys.readouterr()
    facts = {"loss": None, "path": "a", "array": [0, 1]}
    assert json.loads(heard.err) == {"schema": 1, "kind": "note", "text": "x", "facts": facts}
    assert json.loads(heard.out) == {"schema": 1, "command": "train", "value": None, "rows": [1, 2]}
    assert plain({"a": [math.inf]}) == {"a": [None]}


def test_quiet_keeps_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen("list", quiet=True) as screen:
        screen.note("on the way")
        screen.say("result")
    heard = capsys.readouterr()
    assert (heard.out, heard.err) == ("result\n", "")


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (Labels(("a", "b"), np.array([0.25, 0.75], np.float32)), "b 0.75, a 0.25"),
        (Labels(("a", "b")), "a, b"),
        (Value(("count",), np.array([3.0])), "count 3"),
        (Objects(np.zeros((0, 4)), np.zeros(0, np.int64), ("a",)), "no objects"),
        (Objects(np.zeros((1, 4)), np.zeros(1, np.int64), ("a",), np.array([0.5])), "1 object: a 0.50"),
        (Objects(np.zeros((9, 4)), np.zeros(9, np.int64), ("a",)), "9 objects: a, a, a, a, a, a, a, a and 1 more"),
        (Regions(np.array([[0, 1], [1, 1]]), ("sky", "road", "car")), "road 75%, sky 25%"),
        (Heatmap(np.zeros((2, 2)), 0.125), "score 0.125"),
        (Picture(np.zeros((4, 5, 3), np.uint16)), "a picture of 4 x 5 x 3, uint16"),
        (Text("hello", 0.5), "hello (0.50)"),
        (Vector(np.zeros(64)), "a vector of 64"),
    ],
)
def test_every_kind_of_answer_has_a_line(record: object, line: str) -> None:
    assert answer_line(record) == line


def test_figures_say_what_they_do_not_know() -> None:
    row = {"name": "accuracy", "value": 0.5, "low": 0.25, "high": 0.75, "level": 0.95, "count": 8, "baseline": 0.2}
    assert figure_line(row) == "accuracy: 0.5 (0.25 to 0.75, 95% interval, n=8), baseline 0.2"
    assert figure_line({**row, "low": None, "baseline": None}) == "accuracy: 0.5 (no interval, n=8)"
    assert columns([("a", "bb"), ("ccc", "d")]) == ["a    bb", "ccc  d"]
