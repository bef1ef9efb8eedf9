"""One table over every form of bundles, and what it leaves behind."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from sightline.cli import main
from sightline.core import bundle as bundles
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.progress import Event
from sightline.exporting.benching import Bench, Row, bench
from sightline.predicting import measuring
from sightline.predicting.model import load
from sightline.predicting.runtimes import Form, forms
from sightline.predicting.weighing import weigh


def test_every_form_is_timed_weighed_and_judged(
    bundle: Path, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "MOST", 4)
    monkeypatch.setenv("SIGHTLINE_CACHE", str(tmp_path / "cache"))
    found = bench([bundle], data, threads=1, budget=1e6, max_drop=100.0, memory=False)
    assert [row.form for row in found.rows] == [*forms(), Form("torch")]
    for row in found.rows:
        assert 0 < row.p50 <= row.p95
        assert row.network > 0
        assert set(row.rates) == {8, 16}
        assert row.figure is not None
        assert row.figure["low"] <= row.figure["value"] <= row.figure["high"]
        assert row.figure["count"] == len(data) == found.count
        assert row.gap <= (0.05 if row.form.precision == "bfloat16" else 1e-3)
        assert row.taken == (row.form.precision == "float32")
    assert found.rows[0].drop == 0
    assert found.holder is not None
    assert json.loads(json.dumps(found.to_json()))["budget"]["holds"]
    told: list[str] = []
    quick = load(bundle, backend="fastest", threads=1, tell=lambda event: told.append(event.text))
    assert len(told) == 1
    assert str(Form(quick.backend, quick.precision)) in told[0], "what was accepted may be taken without a word"


def test_what_cannot_be_meant_is_refused_before_anything_is_timed(bundle: Path, tmp_path: Path) -> None:
    told: list[Event] = []
    for words, said in (
        ({"threads": 0}, "threads = 0"),
        ({"budget": -1}, "budget = -1"),
        ({"max_drop": -1}, "max_drop"),
    ):
        with pytest.raises(SettingsError, match=said):
            bench([bundle], tell=told.append, **words)
    with pytest.raises(InputError, match="does not exist"):
        bench([bundle], str(tmp_path / "nowhere"), tell=told.append)
    assert told == []


def test_a_budget_is_kept_by_forms_that_may_be_taken() -> None:
    slow = Row("m", Form("onnx"), "onnx float32", 1, 0.0, True, p95=9.0)
    lower = Row("m", Form("openvino", "bfloat16"), "openvino bfloat16", 1, 0.01, False, p95=3.0)
    assert Bench((slow, lower), 1, 0, 5.0).holder is None
    assert Bench((slow, lower), 1, 0, 9.0).holder is slow
    assert Bench((slow, lower), 1, 0, 5.0, ("openvino bfloat16",)).holder is lower
    assert Bench((slow, lower), 1, 0).to_json()["budget"] is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system does not tell")
def test_memory_is_that_of_a_process_of_its_own(bundle: Path) -> None:
    graph = bundles.load(bundle).files["model.onnx"]
    given = {"image": np.zeros((16, 32, 32, 3), np.uint8)}
    assert 2e7 < weigh(graph, Form("onnx"), given, 1) < 1e9
    assert math.isnan(weigh(b"no graph", Form("onnx"), given, 1))


def test_the_command_says_by_its_status_whether_the_budget_holds(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measuring, "MOST", 3)
    monkeypatch.setenv("SIGHTLINE_CACHE", str(tmp_path))
    words = ["bench", str(bundle), "--threads", "1", "--no-memory", "--quiet", "--budget-ms"]
    assert main([*words, "0.0001"]) == 2
    told = capsys.readouterr().out.splitlines()
    assert told[0].split()[:2] == ["runtime", "MB"]
    assert told[-1] == "budget of 0.0001 ms: no form keeps to it"
    assert main([*words, "1e6"]) == 0
    assert "kept by " in capsys.readouterr().out
