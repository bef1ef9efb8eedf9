"""`predict --ask`: the rest of the command is in test_flow."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sightline.core.image import write_image
from sightline.predicting.remote import TOKEN
from tests.cli.conftest import Done, run
from tests.predicting.strange import Answer, strange
from tests.server.conftest import NAMES, Running, coloured, make_bundle, make_tokens, start_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("edge")
    (folder / "photos").mkdir()
    for name in NAMES:
        write_image(folder / "photos" / f"{name}.png", coloured(name))
    unsure = np.zeros((24, 24, 3), np.uint8)
    unsure[..., :2] = 150, 140
    write_image(folder / "photos" / "unsure.png", unsure)
    make_bundle(folder / "small")
    tokens = make_tokens(folder / "tokens.json")
    (folder / "token").write_text(tokens["infer"] + "\n")
    words = (str(make_bundle(folder / "large", scale=0.3)), "--workers", "1", "--token-file", "tokens.json")
    running = start_service(folder, *words, tokens=tokens)
    yield running
    assert running.stop() == 0


def predict(service: Running, *words: str, name: str = "large") -> Done:
    address = f"{service.base}/models/{name}"
    return run(service.log.parent, "predict", "small", "photos", "--ask", address, *words)


def test_the_unsure_picture_is_answered_elsewhere_and_the_end_says_what_it_cost(service: Running) -> None:
    done = predict(service, "--token-file", "token", "--out", "drawn", "--json")
    assert done.status == 0, done.err
    by = {Path(row["id"]).name: (row["by"], row["alone"], row["sure"]) for row in done.document["answers"]}
    assert by == {f"{name}.png": ("here", "", True) for name in NAMES} | {"unsure.png": ("large@1", "", True)}
    told = done.document["asking"]
    assert (told["pictures"], told["unsure"], told["asked"], told["answered"]) == (4, 1, 1, 1)
    folder = service.log.parent
    sizes = {path.stem: path.stat().st_size for path in (folder / "photos").iterdir()}
    assert (told["bytes"], told["bytes_of_all"]) == (sizes["unsure"], sum(sizes.values()))
    kept = [json.loads(line)["by"] for line in (folder / "drawn" / "predictions.jsonl").read_text().splitlines()]
    assert sorted(kept) == ["here", "here", "here", "large@1"]
    said = predict(service, "--token-file", "token", "--quiet").out.splitlines()
    assert said[3].endswith("red 0.95, green 0.05, blue 0.00  [large@1]")
    assert said[4].startswith("3 of 4 pictures answered here, 1 elsewhere; 0.1 kB sent, of all")


def test_a_service_without_an_answer_leaves_ours_and_says_so(service: Running) -> None:
    with strange(Answer(503, b"{}", {"Retry-After": "30"})) as elsewhere:
        done = run(service.log.parent, "predict", "small", "photos", "--ask", elsewhere.address, "--confidence", "1")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert sum("[alone: it answers 503]" in line for line in lines) == 1
    assert sum("[alone: left alone, since it answers 503]" in line for line in lines) == 3
    assert "4 unsure without an answer from there" in lines[-1]
    assert len(elsewhere.bodies) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "error[unauthorised]"),
        (("--token-file", "tokens.json"), "error[settings]: tokens.json must hold one token"),
        (("--confidence", "1.5"), "error[settings]: confidence = 1.5"),
        (("--count", "3"), "error[settings]: --ask sends pictures"),
    ],
)
def test_what_is_set_up_wrongly_is_one_line(
    service: Running, words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    done = predict(service, *words, "--quiet")
    assert done.status == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_the_curve_says_what_each_confidence_comes_to(service: Running) -> None:
    folder = service.log.parent
    for name, truth in (("red", "red"), ("green", "green"), ("unsure", "red")):
        (folder / "labelled" / truth).mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "photos" / f"{name}.png", folder / "labelled" / truth)
    words = ("--ask", f"{service.base}/models/large", "--token-file", "token", "--curve", "--quiet")
    lines = [line.split("  ") for line in run(folder, "predict", "small", "labelled", *words).out.splitlines()]
    cells = [[word.strip() for word in line if word] for line in lines]
    assert cells[:3] == [["confidence", "sent", "right"], ["none sent", "0.0%", "100.0%"], ["0.5", "0.0%", "100.0%"]]
    assert cells[3] == ["0.6", "33.3%", "100.0%"]
    assert cells[-2:] == [["all sent", "100.0%", "100.0%"], ["of 3 pictures"]]


def test_how_to_ask_needs_whom_to_ask(service: Running) -> None:
    for words in (("--token-file", "token"), ("--send-side", "64"), ("--curve",)):
        done = run(service.log.parent, "predict", "small", "photos", *words)
        assert (done.status, done.out) == (2, "")
        assert "--ask" in done.err
