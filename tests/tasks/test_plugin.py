"""A sixth task from another package, with its own model and augmentation: found, learnt, exported; no file edited."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent.parent / "fixtures" / "plugin"


@pytest.fixture(scope="module")
def told(root: Path) -> str:
    """The contract tests, run with the package on the path and asked only about its parts."""
    paths = [str(root / "src"), str(PLUGIN), *filter(None, [os.environ.get("PYTHONPATH")])]
    # A session of its own: as a worker it would share the lessons of every session before it.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "whisper or still"]
        + [str(root / "tests" / "contracts" / f"test_{family}.py") for family in ("tasks", "models")],
        cwd=root,
        env=alone | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "promise",
    [
        "test_it_learns[whisper]",
        "test_the_order_is_chance_alone_and_uses_every_row_once[whisper]",
        "test_it_reports_its_metrics_with_intervals[whisper]",
        "test_its_answer_can_be_drawn[whisper]",
        "test_the_exported_model_is_the_trained_model[whisper]",
        "test_neighbours_in_a_batch_change_nothing[whisper]",
        "test_the_bundle_answers_alike_where_there_is_no_torch[whisper]",
        "test_gradients_reach_every_parameter_or_it_solves[still]",
        "test_the_exported_graph_answers_alike[still]",
    ],
)
def test_the_contract_finds_it_and_it_keeps_it(told: str, promise: str) -> None:
    assert f"{promise} PASSED" in told, told[-3000:]


def test_nothing_of_it_fails_and_no_file_of_ours_was_edited(told: str) -> None:
    assert "FAILED" not in told
    assert "ERROR" not in told
