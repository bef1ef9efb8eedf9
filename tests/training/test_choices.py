"""When a network is translated before it learns: only where a long run gains by it, and nothing changes by it."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from benchmarks.reliability.kill_training import toy
from sightline.training import choices as choosing
from sightline.training.choices import Choices, choose
from sightline.training.settings import Settings
from sightline.training.train import train
from tests.training.workshop import QUICK

PLAIN: dict[str, Any] = {"precision": "float32", "layout": "plain", "threads": 1}


@pytest.fixture(autouse=True)
def _own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(choosing, "_has_compiler", lambda device: True)


def _trial(eager: float, compiled: float, calls: list[Choices]) -> Callable[[Choices], Callable[[], None]]:
    def prepared(mode: Choices) -> Callable[[], None]:
        def step() -> None:
            calls.append(mode)
            time.sleep(compiled if mode.compiled else eager)

        return step

    return prepared


@pytest.mark.parametrize(
    ("compiled", "steps", "taken"),
    [(0.005, 1e6, True), (0.005, 10, False), (0.019, 1e6, False), (0.03, 1e6, False)],
    ids=["gains", "too short to try", "no slower but no gain", "slower"],
)
def test_it_is_translated_only_where_that_pays(compiled: float, steps: float, taken: bool) -> None:
    calls: list[Choices] = []
    trial = _trial(0.0195, compiled, calls)
    assert choose(Settings(**PLAIN), trial, {}, steps=steps).compiled is taken
    assert any(mode.compiled for mode in calls) is (steps > 10)


def test_it_is_translated_for_batches_as_they_will_come() -> None:
    few: list[Choices] = []
    whole: list[Choices] = []
    trial, full = _trial(0.0195, 0.03, few), _trial(0.03, 0.02, whole)
    assert choose(Settings(**PLAIN), trial, {}, steps=1e6, whole=full).compiled
    assert not any(mode.compiled for mode in few)
    assert {mode.compiled for mode in whole} == {True, False}


@pytest.mark.parametrize(("steps", "taken"), [(5, False), (500, True)])
def test_what_translating_takes_must_come_back(steps: float, taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "LONG", 0.0)

    def prepared(mode: Choices) -> Callable[[], None]:
        waits = iter([0.3] if mode.compiled else [])
        return lambda: time.sleep(next(waits, 0.001 if mode.compiled else 0.02))

    assert choose(Settings(**PLAIN), prepared, {}, steps=steps).compiled is taken


def test_a_machine_that_is_busy_now_and_then_misleads_nobody() -> None:
    one, two = (Choices("cpu", "float32", "plain", threads) for threads in (1, 2))

    def prepared(mode: Choices) -> Callable[[], None]:
        waits = iter([0.05, 0.05, 0.01, 0.05, 0.05, 0.05] if mode is two else [0.02] * 6)
        return lambda: time.sleep(next(waits))

    best, each = choosing._fastest([one, two], prepared, math.inf)
    assert best is two
    assert 0.01 <= each < 0.02


def test_it_can_be_forbidden_and_demanded() -> None:
    calls: list[Choices] = []
    trial = _trial(0.02, 0.001, calls)
    assert not choose(Settings(**PLAIN, compile="off"), trial, {}, steps=1e9).compiled
    assert choose(Settings(**PLAIN, compile="on"), trial, {}, steps=1).compiled


def test_what_cannot_be_translated_stays_as_it_is() -> None:
    def prepared(mode: Choices) -> Callable[[], None]:
        def step() -> None:
            if mode.compiled:
                raise RuntimeError("no such operator\nand a long story")
            time.sleep(0.01)

        return step

    with pytest.warns(UserWarning, match="stays as it is: no such operator$"):
        assert not choose(Settings(**PLAIN), prepared, {}, steps=1e9).compiled


def test_measuring_ends_when_its_time_is_over() -> None:
    calls: list[Choices] = []
    choose(Settings(precision="float32"), _trial(0.02, 0.02, calls), {}, patience=0.0)
    seen = {mode: calls.count(mode) for mode in calls}
    assert all(count <= 4 for count in seen.values())
    assert len(calls) <= 2 * 2 + 2 * 2


@pytest.mark.slow
def test_a_translated_run_learns_the_same(tmp_path: Path) -> None:
    import torch._dynamo

    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    weights: dict[str, Any] = {}
    for word in ("off", "on"):
        settings = {**QUICK, "epochs": 1, "compile": word}
        run = train(toy("labels"), model="lenet", out=tmp_path / word, settings=settings)
        assert run.info["choices"]["compiled"] is (word == "on")
        weights[word] = load_file(run.weights)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1, "whole batches alone, and those once"
    for name, plain in weights["off"].items():
        assert np.allclose(plain, weights["on"][name], atol=2e-4), name
