"""A search over settings: finds the better ones, ends hopeless ones, goes on after a stop."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sightline.core.errors import SettingsError
from sightline.training.tuning import Range, tune

PLACE = "drawn:shapes?count=120&size=32"
FAST = {"batch": 16, "epochs": 2, "workers": 0, "precision": "float32", "layout": "plain"}


def test_a_rate_at_which_nothing_is_learnt_loses(tmp_path: Path) -> None:
    vary = {"train.rate": "1e-7,0.003", "model": "lenet"}
    with pytest.raises(SettingsError, match="values such as"):
        tune(PLACE, "classify", vary=vary, out=tmp_path / "none")
    vary = {"train.rate": "1e-7,0.003", "train.epochs": "2,3"}
    found = tune(PLACE, "classify", model="small", vary=vary, trials=5, out=tmp_path / "tune", settings=FAST)
    assert found.trials[0]["settings"]["train.rate"] == 0.003
    assert found.best.info["settings"]["rate"] == 0.003
    assert found.best.info["best"] == found.trials[0]["value"]
    done = [row["value"] for row in found.trials if row["state"] == "done"]
    assert done == sorted(done, reverse=True)
    assert json.loads((tmp_path / "tune" / "tune.json").read_bytes())["metric"] == "accuracy"
    again = tune(PLACE, "classify", model="small", vary=vary, trials=5, out=tmp_path / "tune", settings=FAST)
    assert again == found, "nothing is tried twice"
    with pytest.raises(SettingsError, match="other ranges"):
        tune(PLACE, "classify", vary={"train.rate": "0.1,0.2"}, out=tmp_path / "tune", model="small", settings=FAST)


SCRIPT = """
import sys
from sightline.training.tuning import tune
fast = {"batch": 8, "epochs": 6, "workers": 0, "precision": "float32", "layout": "plain", "checkpoint_seconds": 0.01}
tune(sys.argv[1], "classify", model="small", vary={"train.rate": "0.001..0.01"}, trials=2, out=sys.argv[2],
     settings=fast)
"""


def test_a_killed_search_goes_on_with_the_trial_it_was_at(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SCRIPT, PLACE, str(tmp_path / "tune")]
    with subprocess.Popen(words, env={**os.environ, "OMP_NUM_THREADS": "1"}) as child:
        end = time.monotonic() + 120
        while not list(tmp_path.glob("tune/trial-*/metrics.jsonl")) and time.monotonic() < end:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
    begun = next(tmp_path.glob("tune/trial-*/metrics.jsonl")).parent
    subprocess.run(words, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    kept = json.loads((tmp_path / "tune" / "tune.json").read_bytes())
    assert len(kept["trials"]) == 2
    assert begun.name in [Path(row["run"]).name for row in kept["trials"]], "its run was continued, not begun anew"
    assert len(list(tmp_path.glob("tune/trial-*"))) == 2


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0.001..0.1", Range(0.001, 0.1)),
        ("1..64", Range(1, 64, whole=True)),
        ("8,16", Range(values=(8, 16))),
        ("small,quick", Range(values=("small", "quick"))),
    ],
)
def test_ranges_are_written_shortly(text: str, span: Range) -> None:
    assert Range.parse("x", text) == span


@pytest.mark.parametrize(
    ("vary", "says"),
    [
        ({"train.rat": "0.1..0.2"}, "train.rat"),
        ({"train.rate": "0.2..0.1"}, "smaller"),
        ({"train.rate": "a..b"}, "numbers"),
        ({"train.rate": "0.1"}, "range"),
        ({"rate": "0.1..0.2"}, "train.NAME"),
    ],
)
def test_ranges_that_mean_nothing_are_refused_before_the_first_trial(
    vary: dict[str, str], says: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=says):
        tune(PLACE, "classify", vary=vary, out=tmp_path / "tune")
    assert not list(tmp_path.glob("tune/trial-*"))
