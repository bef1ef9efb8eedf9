"""The fastest form is taken of those that may be taken, and remembered for what it was measured on."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from sightline.core.errors import BundleError
from sightline.predicting import choosing
from sightline.predicting.choosing import accept, choose, pick, recall, remember
from sightline.predicting.measuring import Measured, tiled, timed
from sightline.predicting.runtimes import Form

ONNX, OTHER, LOWER = Form("onnx"), Form("openvino"), Form("openvino", "bfloat16")


def _rows(*, gap: float = 0.004, away: float = 0.01, usual: float = 4.0) -> list[Measured]:
    return [
        Measured(ONNX, 1e-7, 0.0, {1: usual, 8: usual}),
        Measured(OTHER, 1e-6, 1e-6, {1: 3.0, 8: 5.0}),
        Measured(LOWER, gap, away, {1: 2.0, 8: 2.0}),
    ]


def test_a_lower_precision_needs_a_word() -> None:
    assert pick(_rows(), 1e-3).form == OTHER
    assert pick(_rows(gap=1e-9), 1e-3).form == OTHER, "a few golden samples alone are too few to say"
    assert pick(_rows(), 1e-3, lower=True).form == OTHER
    assert pick(_rows(), 0.01, lower=True).form == LOWER
    assert pick(_rows(away=0.2), 0.01, lower=True).form == OTHER, "it computes something else"


def test_what_was_accepted_on_labelled_pictures_is_taken() -> None:
    rows = _rows(gap=0.3)
    rows[2] = Measured(LOWER, 0.3, 0.01, {1: 2.0}, accepted=True)
    choice = pick(rows, 1e-3)
    assert choice.form == LOWER
    assert choice.gap >= 0.3
    assert "accepted before" in choice.told(b"")
    assert "2.00 times as fast as onnx float32" in choice.told(b"")


def test_the_number_of_rows_decides() -> None:
    assert pick(_rows(), 1e-3, rows=1).form == OTHER
    assert pick(_rows(), 1e-3, rows=16).form == ONNX


def test_a_gain_of_nothing_changes_nothing() -> None:
    assert pick(_rows(usual=3.05), 1e-3).form == ONNX
    assert pick(_rows(usual=3.2), 1e-3).form == OTHER


def test_what_cannot_run_is_never_taken() -> None:
    rows = [Measured(ONNX, math.inf, refused="no"), Measured(OTHER, 0.5, 0.0, {1: 1.0})]
    with pytest.raises(BundleError, match=r"no runtime here.*onnx float32: no; openvino float32: gap 0\.5"):
        pick(rows, 1e-3)
    assert pick([rows[0], _rows()[1]], 1e-3).form == OTHER


def test_eight_bits_are_told() -> None:
    assert LOWER.told(b"..DequantizeLinear..") == "openvino int8 and bfloat16"
    assert ONNX.told(b"..DequantizeLinear..") == "onnx int8"
    assert ONNX.told(b"") == "onnx float32"


def test_a_bundle_is_measured_once_and_anew_where_anything_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_CACHE", str(tmp_path))
    asked: list[int | None] = []

    def measured(graph: bytes, answering: Callable[..., float], *, threads: int | None) -> list[Measured]:
        asked.append(threads)
        return _rows()

    monkeypatch.setattr(choosing, "measure", measured)

    def ask(seal: str, threads: int, **more: bool) -> Form:
        return choose(b"", seal, lambda run: 0.0, allowed=0.01, threads=threads, **more).form

    assert [ask("a", 1), ask("a", 1), ask("a", 1, lower=True)] == [OTHER, OTHER, LOWER]
    assert asked == [1]
    ask("a", 2)
    ask("b", 1)
    assert asked == [1, 2, 1]
    accept("a", 1, [LOWER], _rows(gap=0.5))
    assert ask("a", 1) == LOWER
    for path in tmp_path.rglob("*.json"):
        path.write_text("{}")  # damaged
    assert ask("a", 1) == OTHER
    assert asked == [1, 2, 1, 1]


def test_what_is_remembered_reads_back(tmp_path: Path) -> None:
    rows = [*_rows(), Measured(Form("far"), math.inf, math.inf, refused="it does not run")]
    remember(tmp_path / "kept.json", rows)
    assert recall(tmp_path / "kept.json") == rows
    assert recall(tmp_path / "missing.json") == []
    (tmp_path / "file").write_text("")
    remember(tmp_path / "file" / "below", rows)  # a disk that refuses is no reason to fail


def test_calls_are_timed_in_turn() -> None:
    order: list[str] = []
    times = timed({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 0.0)
    assert order == ["a", "b"] * 4
    assert {name: len(spent) for name, spent in times.items()} == {"a": 3, "b": 3}


def test_rows_are_repeated_and_what_has_no_rows_is_left() -> None:
    import numpy as np

    given = {"x": np.arange(3), "once": np.array([7])}
    made = tiled(given, 8)
    assert made["x"].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert made["once"].tolist() == [7]
