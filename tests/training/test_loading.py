"""Runs that load in other ways: what is free changes no weight, what is fixed is refused, what is stopped continues."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.reliability.kill_training import outcome
from sightline.core.errors import RunError
from sightline.core.progress import Event
from sightline.core.task import Facts
from sightline.training.guard import Interrupted
from sightline.training.train import train
from tests.training.workshop import QUICK, once_at

PLAIN = {**QUICK, "batch": 8, "precision": "float32", "layout": "plain", "threads": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty JPEGs of 96 x 128, two names, five times as many of one."""
    where = tmp_path_factory.mktemp("pictures")
    for n in range(36):
        name = "rare" if n % 6 == 0 else "common"
        rng = np.random.default_rng(n)
        pixels = rng.integers(0, 120, (96, 128, 3)) + (100 if name == "rare" else 0)
        (where / name).mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(where / name / f"{n}.jpg", quality=92)
    return where


def test_the_cache_and_what_waits_ahead_change_no_weight(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))  # other tests make room in the shared one
    ways = [{"cache": "off"}, {"cache": "auto"}, {"cache": "2MB", "workers": 2, "ahead": 0.001}, {"cache": "auto"}]
    runs = [train(folder, out=tmp_path / str(n), settings={**PLAIN, **way}, look=False) for n, way in enumerate(ways)]
    assert len({str(outcome(run.path)) for run in runs}) == 1
    kept = list((tmp_path / "home").glob("sightline/pictures/*.pixels"))
    assert kept, "the second run left its pictures to the third and fourth"


def test_a_balanced_run_that_is_stopped_continues_to_the_same_weights(tmp_path: Path, folder: Path) -> None:
    settings = {**PLAIN, "sampling": "balanced", "resample": "fast", "scale": "fitted"}
    said: list[Event] = []
    whole = train(folder, out=tmp_path / "whole", settings=settings, look=False, tell=said.append)
    assert any("sampling: balanced; an epoch shows rare (" in event.text for event in said)
    stopping = once_at(4, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        train(folder, out=tmp_path / "stopped", settings=settings, look=False, tell=stopping)
    with pytest.raises(RunError, match=r"sampling: balanced -> None"):
        train(folder, out=tmp_path / "stopped", settings=PLAIN, look=False)
    again = train(folder, out=tmp_path / "stopped", settings={**settings, "workers": 2, "cache": "off"}, look=False)
    assert outcome(again.path) == outcome(whole.path)
    spec = Facts.from_json(again.info["facts"]).input
    assert spec.resample == "fast"
    assert len(spec.mean) == 3
    plain = train(folder, out=tmp_path / "plain", settings=PLAIN, look=False)
    assert outcome(plain.path) != outcome(whole.path)
