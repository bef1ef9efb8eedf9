"""From drawn pictures to decisions by commands alone."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sightline.core.image import encode, read_image
from tests.cli.conftest import Trained, run


def _figures(document: dict) -> dict:
    return {row["name"]: row for row in document["evaluation"]["figures"]}


def test_train_answers_with_one_document(trained: Trained) -> None:
    document = trained.done.document
    assert document["schema"] == 1
    assert document["command"] == "train"
    assert document["state"] == "done"
    assert document["audit"]["count"] == 40
    for name in ("run", "bundle", "report"):
        assert (trained.folder / document["paths"][name]).exists(), name
    assert all(row["equal"] for row in document["parity"])
    for row in _figures(document).values():
        assert row["low"] is None or row["low"] <= row["value"] <= row["high"]


def test_progress_is_json_lines_on_standard_error(trained: Trained) -> None:
    rows = [json.loads(line) for line in trained.done.err.splitlines()]
    kinds = [row["kind"] for row in rows]
    assert {row["schema"] for row in rows} == {1}
    assert kinds.count("epoch") == 2
    assert {"start", "progress", "checkpoint", "done"} <= set(kinds)
    assert kinds.index("start") < kinds.index("epoch") < kinds.index("done")


def test_listeners_hear_the_same(trained: Trained) -> None:
    lines = [
        json.loads(line) for path in trained.folder.rglob("events.jsonl") for line in path.read_text().splitlines()
    ]
    assert [row["facts"]["epoch"] for row in lines if row["kind"] == "epoch"] == [1, 2]


def test_the_same_command_again_trains_nothing_and_finds_the_same(trained: Trained) -> None:
    before = (trained.run / "weights.safetensors").read_bytes()
    again = run(trained.folder, *trained.words, "--no-export", "--no-report", "--no-audit")
    assert again.status == 0, again.err
    assert "audit" not in again.document
    assert "bundle" not in again.document["paths"]
    assert again.document["paths"]["run"] == trained.done.document["paths"]["run"]
    assert _figures(again.document) == _figures(trained.done.document)
    assert (trained.run / "weights.safetensors").read_bytes() == before
    assert not [line for line in again.err.splitlines() if json.loads(line)["kind"] == "epoch"]


def test_other_settings_in_the_same_folder_are_refused_by_name(trained: Trained) -> None:
    words = [word if word != "2" else "3" for word in trained.words if word != "--json"]
    done = run(trained.folder, *words, "--out", str(trained.run), "--quiet")
    assert done.status == 2
    assert "epochs: 2 -> 3" in done.err


def test_predict_never_imports_torch(trained: Trained) -> None:
    _pictures(trained.folder / "photos", 3)
    code = (
        "import sys; from sightline.cli import main; status = main(sys.argv[1:])\n"
        "sys.exit(status or ('torch' in sys.modules) * 9 or ('scipy' in sys.modules) * 8)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", str(trained.run), "photos", "--json"],
        cwd=trained.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["answers"]
    assert [Path(row["id"]).name for row in answers] == ["0.png", "1.png", "2.png"]
    assert all(sum(row["answer"]["scores"]) == pytest.approx(1, abs=1e-4) for row in answers)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "RUN/run.json"), "run.json: a file stands where a folder should be."),
        (("--count", "-1"), "--count -1: must be 0 or more."),
        (("--threshold", "2"), "--threshold 2.0: must be from 0 to 1."),
    ],
)
def test_predict_refuses_a_wrong_word_in_one_line(trained: Trained, words: tuple[str, ...], said: str) -> None:
    _pictures(trained.folder / "one", 1)
    words = tuple(word.replace("RUN", str(trained.run)) for word in words)
    done = run(trained.folder, "predict", str(trained.run), "one", *words)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_predict_starts_cold_in_half_a_second(trained: Trained) -> None:
    _pictures(trained.folder / "one", 1)
    best = min(_seconds(trained.folder, "predict", str(trained.run), "one/0.png", "--threads", "1") for _ in range(4))
    bare = min(_seconds(trained.folder, "version") for _ in range(2))
    assert best < 0.5 * max(1.0, bare / 0.1), "CPU seconds"


def test_both_runtimes_give_the_same_answers(trained: Trained) -> None:
    _pictures(trained.folder / "photos", 3)
    given = [
        run(trained.folder, "predict", str(trained.run), "photos", "--json", "--backend", backend).document["answers"]
        for backend in ("onnx", "torch")
    ]
    first, second = (np.array([row["answer"]["scores"] for row in rows]) for rows in given)
    assert np.abs(first - second).max() < 1e-3


def test_one_bad_picture_stops_none_of_the_others(trained: Trained) -> None:
    folder = trained.folder / "mixed"
    _pictures(folder, 2)
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    done = run(trained.folder, "predict", str(trained.run), "mixed", "gone/*.jpg", "--out", "drawn", "--json")
    assert done.status == 2
    rows = done.document["answers"]
    assert [row["error"]["code"] for row in rows if "error" in row] == ["missing", "corrupt"]
    assert sum("answer" in row for row in rows) == 2
    kept = [json.loads(line) for line in (trained.folder / "drawn" / "predictions.jsonl").read_text().splitlines()]
    assert len(kept) == 4
    for row in kept:
        if "drawn" in row:
            assert read_image(trained.folder / "drawn" / row["drawn"]).shape[2] == 3
    said = run(trained.folder, "predict", str(trained.run), "mixed", "--quiet")
    assert len(said.out.splitlines()) == 2
    assert said.status == 2


def test_doubt_is_said(trained: Trained) -> None:
    _pictures(trained.folder / "photos", 1)
    done = run(trained.folder, "predict", str(trained.run), "photos", "--threshold", "1")
    assert all(": not sure (" in line and "scores less than 1" in line for line in done.out.splitlines())


def test_runs_are_listed_and_compared_without_a_winner_by_chance(trained: Trained) -> None:
    out = trained.folder / "runs" / "other"
    words = ["train", "drawn:parts?count=40&size=32", "--epochs", "1", "--batch", "8", "--out", str(out)]
    words += ["--set", "train.precision=float32", "--set", "train.layout=plain", "--no-audit"]
    made = run(trained.folder, *words, "--no-export", "--no-report", "--quiet")
    assert made.status == 0, made.err
    listed = run(trained.folder, "runs", "--json").document["runs"]
    assert {row["name"] for row in listed} == {"other", trained.run.name}
    compared = run(trained.folder, "compare", "other", trained.run.name, "--json").document
    pair = compared["pairs"][0]
    assert (pair["first"], pair["second"]) == ("other", trained.run.name)
    assert any(line.startswith("train.epochs: 1 -> 2") for line in pair["settings"])
    for row in pair["metrics"].values():
        assert row["verdict"] in ("first", "second", "cannot tell")
        assert row["difference"] == pytest.approx(row["first"] - row["second"])
        apart = row["low"] is not None and not row["low"] <= 0 <= row["high"]
        assert apart == (row["verdict"] != "cannot tell")


def test_a_person_is_compared_with_a_run(trained: Trained) -> None:
    """Whoever labels the pictures as they are cannot be beaten."""
    said = run(trained.folder, "compare", trained.run.name, "drawn:parts?count=40&size=32", "--json")
    assert said.status == 0, said.err
    assert said.document["pairs"][0]["metrics"]["accuracy"]["second"] == 1.0


def test_evaluate_export_and_report_can_be_called_alone(trained: Trained) -> None:
    name = trained.run.name
    evaluated = run(trained.folder, "evaluate", name, "--side", "val", "--json", "--quiet").document
    assert evaluated["side"] == "val"
    exported = run(trained.folder, "export", name, "--out", "one.sightline", "--json", "--quiet")
    assert (trained.folder / "one.sightline").is_file(), exported
    report = run(trained.folder, "report", name, "--json", "--quiet").document
    assert (trained.folder / report["path"]).stat().st_size > 1000
    assert (trained.run / "history.png").is_file()


def test_what_is_solved_at_once_has_no_curve(tmp_path: Path) -> None:
    made = run(tmp_path, "train", "drawn:shapes?count=60&size=32", "--model", "ridge", "--out", "run", "--no-audit")
    assert made.status == 0, made.err
    assert " loss " not in made.err + made.out
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "How good it is" in page
    assert "How it learned" not in page
    assert not (tmp_path / "run" / "history.png").exists()


@pytest.mark.parametrize(("asked", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_training_says_how_to_continue(asked: signal.Signals, status: int, tmp_path: Path) -> None:
    words = ["train", "drawn:parts?count=40&size=32", "--epochs", "400", "--batch", "8", "--out", "run", "--no-audit"]
    words += ["--set", "train.precision=float32", "--set", "train.layout=plain"]
    with subprocess.Popen(
        [sys.executable, "-m", "sightline", *words],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stderr
        for line in child.stderr:
            if line.startswith("epoch 1/"):
                break
        child.send_signal(asked)
        said = child.stderr.read().splitlines()
    assert child.returncode == status
    assert said[-1].startswith("error[interrupted]")
    assert said[-1].endswith("sightline " + " ".join(words).replace(words[1], f"'{words[1]}'"))
    assert json.loads((tmp_path / "run" / "run.json").read_bytes())["state"] == "running"


def _pictures(folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        (folder / f"{number}.png").write_bytes(encode(rng.integers(0, 255, (40, 48, 3), np.uint8)))


def _seconds(folder: Path, *words: str) -> float:
    """CPU seconds of one command."""
    child = subprocess.Popen([sys.executable, "-m", "sightline", *words], cwd=folder, stdout=subprocess.DEVNULL)
    start = time.monotonic()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    assert time.monotonic() - start < 60
    return usage.ru_utime + usage.ru_stime


def test_what_it_does_not_know_is_said_in_words_in_json_and_on_the_picture(tmp_path: Path) -> None:
    """Enough pictures for sets and for a limit: noise is refused, whatever name it is given."""
    folder = tmp_path
    words = ("train", "drawn:shapes?count=200&size=32", "--epochs", "1", "--model", "quick:s", "--out", "run")
    quick = ("--no-report", "--no-audit", "--set", "train.precision=float32", "--set", "train.layout=plain", "--quiet")
    made = run(folder, *words, *quick, timeout=300)
    assert made.status == 0, made.err
    (folder / "odd").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    (folder / "odd" / "noise.png").write_bytes(encode(pixels))
    said = run(folder, "predict", "run", "odd", "--quiet")
    assert "not sure (unlike the pictures it learnt from" in said.out
    told = run(folder, "predict", "run", "odd", "--coverage", "0.95", "--json", "--out", "drawn").document
    decision = told["answers"][0]["decision"]
    assert decision["unsure"]
    assert decision["outlier"] > 1
    assert decision["level"] == 0.95
    assert decision["best"] in decision["names"]
    assert told["answers"][0]["sure"] is False
    about = told["model"]
    assert about["name"] == "quick:s"
    assert about["version"]
    assert about["thresholds"]["outlier"] == 1
    assert about["calibration"]["sets"]["levels"][0]["level"] == 0.9
    drawn = read_image(folder / "drawn" / told["answers"][0]["id"].split("/")[-1])
    plain = run(folder, "predict", "run", "odd", "--coverage", "0.5")
    assert plain.status == 2
    assert "--coverage 0.5: this model has sets at 0.9, 0.95" in plain.err
    assert drawn.shape[0] > 2 * 96, "the doubt stands on a strip of its own below the answer"


def test_commands_in_the_folder_of_the_data_do_not_learn_from_what_they_wrote(tmp_path: Path) -> None:
    for name, level in (("bright", 200), ("dark", 30)):
        (tmp_path / name).mkdir()
        for number in range(12):
            pixels = np.random.default_rng(number).integers(level, level + 50, (24, 24, 3)).astype(np.uint8)
            (tmp_path / name / f"{number}.png").write_bytes(encode(pixels))
    first = run(tmp_path, "train", ".", "--epochs", "2", "--json")
    assert first.status == 0, first.err
    assert list(tmp_path.rglob("history.png"))
    model = first.document["paths"]["bundle"]
    assert run(tmp_path, "predict", model, ".", "--out", "answers").status == 0
    assert run(tmp_path, "explain", model, "dark", "--out", "why").status == 0
    again = run(tmp_path, "train", ".", "--epochs", "2", "--json")
    assert again.document["paths"] == first.document["paths"], "other pictures would have begun another run"
    assert "is done already" in again.err


def test_a_single_picture_held_out_has_no_interval_and_all_is_written(tmp_path: Path) -> None:
    for name, count in (("usual", 9), ("rare", 1)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.random.default_rng(number + count).integers(0, 255, (24, 24, 3)).astype(np.uint8)
            (tmp_path / "data" / name / f"{number}.png").write_bytes(encode(pixels))
    done = run(tmp_path, "train", "data", "--epochs", "1", "--out", "run", "--json")
    assert done.status == 0, done.err
    assert _figures(done.document)["log_loss"]["low"] is None
    assert "| log_loss | " in (tmp_path / "run" / "bundle" / "card.md").read_text()
    assert "no interval" in (tmp_path / "run" / "bundle" / "card.md").read_text()
    told = run(tmp_path, "compare", "run", "run")
    assert "(no interval), n=1" in told.out + told.err
    assert "nan" not in told.out + told.err
