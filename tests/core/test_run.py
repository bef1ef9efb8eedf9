"""Runs: found by name, and damage is said in one line."""

from pathlib import Path

import pytest

from sightline.core.errors import RunError
from sightline.core.run import Run, all_runs, open_run, read_lines


def made(folder: Path, name: str, created: str) -> Run:
    run = Run(folder / name)
    run.write({"created": created, "task": "x"})
    return run


def test_what_is_written_is_read(tmp_path: Path) -> None:
    run = made(tmp_path, "a", "2026-01-02")
    assert run.exists
    assert run.info["created"] == "2026-01-02"
    assert run.history == []
    (run.path / "metrics.jsonl").write_text('{"epoch": 1}\n\n{"epoch": 2}\n')
    assert [row["epoch"] for row in run.history] == [1, 2]
    for path in (run.bundle, run.weights, run.report, run.evaluation):
        assert path.parent == run.path


def test_runs_are_listed_and_opened(tmp_path: Path) -> None:
    late, early = made(tmp_path, "late", "2026-02-01"), made(tmp_path, "early", "2026-01-01")
    assert all_runs(tmp_path) == [early, late]
    assert open_run(late) is late
    assert open_run(early.path) == early
    assert open_run("late", tmp_path) == late
    with pytest.raises(RunError, match=r"no run at 'lat'. Did you mean 'late'\? Known: early, late"):
        open_run("lat", tmp_path)
    with pytest.raises(RunError, match=r"no run at 'x'.$"):
        open_run("x", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "why"), [("{", "damaged"), ("[]", "format None"), ('{"format": 9}', "format 9"), ("3", "format None")]
)
def test_damage_is_one_line(text: str, why: str, tmp_path: Path) -> None:
    run = Run(tmp_path / "a")
    with pytest.raises(RunError, match="is not a run"):
        _ = run.info
    run.path.mkdir()
    (run.path / "run.json").write_text(text)
    with pytest.raises(RunError, match=why):
        _ = run.info
    other = made(tmp_path, "b", "2026")
    assert all_runs(tmp_path) == [run, other], "one damaged run does not hide the others"


def test_damaged_rows_are_one_line(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "missing") == []
    (tmp_path / "rows").write_text('{"a": 1}\n{"a":')
    with pytest.raises(RunError, match="rows is damaged"):
        read_lines(tmp_path / "rows")
