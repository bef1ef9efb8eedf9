"""Traffic, jobs and the log of predictions, by commands alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sightline.serving import arms
from sightline.serving.prediction import Prediction
from sightline.serving.predictions import open_predictions
from sightline.testing.bundles import levels, pictures
from tests.cli.conftest import Done

Command = Callable[..., Done]


@pytest.fixture(autouse=True)
def two(here: Command, tmp_path: Path) -> None:
    """A registry of two versions in the folder where commands are given."""
    for number, alias in enumerate(("champion", "challenger"), 1):
        levels(tmp_path / f"{alias}.sightline", number, "classify")
        assert here("register", f"{alias}.sightline", "--name", "colours", "--alias", alias).status == 0


def test_traffic_is_set_and_the_arms_are_compared(here: Command) -> None:
    assert here("traffic", "colours").out == "colours 1: the champion answers all\n"
    done = here("traffic", "colours", "--split", "champion=50, challenger=50", "--json")
    traffic = arms.Traffic.from_json(done.document["traffic"])
    assert (traffic.kind, traffic.control, done.document["versions"]) == (
        "split", "champion", {"champion": 1, "challenger": 2},
    )  # fmt: skip
    assert "nothing is known" in here("traffic", "colours").out
    with open_predictions("registry/predictions.db") as log:
        for number in range(300):
            arm = arms.assign(traffic, f"c{number}", "").arm
            slow, which = (0.02, 2) if arm == "challenger" else (0.01, 1)
            seconds = slow * (1 + 0.1 * (number % 7))
            log.add(
                Prediction(
                    f"r{number}", "colours", which, arm, traffic.experiment, caller=f"c{number}", seconds=seconds
                )
            )
        assert log.writer.flush(20)
    text = here("traffic", "colours").out
    (seconds_line,) = [line for line in text.splitlines() if line.startswith("seconds")]
    assert seconds_line.endswith("worse")
    assert "times" in seconds_line
    assert sum(here("traffic", "colours", "--json").document["standings"][0]["counts"]) == 300
    assert here("predictions", "--label", "r1=red").status == 0
    assert here("predictions", "colours", "--newest", "2").out.count("colours") == 2
    assert here("predictions", "--out", "all.jsonl").status == 0
    rows = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert (len(rows), rows[1]["label"]) == (300, "red")


def test_a_canary_and_the_others_are_set_as_told(here: Command) -> None:
    done = here("traffic", "colours", "--canary", "challenger", "--share", "10", "--hold", "0", "--json")
    traffic = done.document["traffic"]
    assert (traffic["shares"], traffic["rise"]["steps"]) == (
        {"champion": 0.9, "challenger": 0.1},
        [0.1, 0.25, 0.5, 1.0],
    )
    assert "challenger answers 10%, step 1 of 4" in here("traffic", "colours", "--tend").out
    assert "same first name" not in here("traffic", "colours", "--shadow", "challenger,2").out
    assert (
        here("traffic", "colours", "--cascade", "2", "--confidence", ".9", "--json").document["traffic"]["larger"]
        == "2"
    )
    assert here("traffic", "colours", "--off").out == "colours 1: the champion answers all\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--split", "champion=1,nobody=2"), "registry"),
        (("--split", "champion:1"), "settings"),
        (("--split", "champion=1,challenger=x"), "settings"),
        (("--canary", "challenger", "--steps", "5,much"), "settings"),
        (("--canary", "challenger", "--steps", "50,20"), "settings"),
        (("--shadow", "challenger", "--off"), "settings"),
        (("--by", "weather", "--split", "1=1,2=1"), "settings"),
    ],
)
def test_what_cannot_be_shared_is_refused_and_changes_nothing(here: Command, words: tuple[str, ...], code: str) -> None:
    done = here("traffic", "colours", *words)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"error[{code}]")
    assert here("traffic", "colours").out == "colours 1: the champion answers all\n"


def test_a_folder_is_answered_in_the_background(here: Command, tmp_path: Path) -> None:
    pictures(tmp_path / "photos", 5)
    job = here("jobs", "submit", "colours", "photos", "--chunk", "2", "--json").document["job"]
    assert (job["state"], job["total"]) == ("queued", 5)
    assert here("jobs", "cancel", job["id"]).out.startswith(f"{job['id']} cancelled: 0 of 5")
    assert here("jobs", "run").out == "0 chunks answered; the queue is empty\n"
    assert here("jobs", "resume", job["id"]).status == 0
    done = here("jobs", "run", job["id"])
    assert f"{job['id']} done: 5 of 5 pictures" in done.out
    assert len((Path(job["folder"]) / "predictions.jsonl").read_text().splitlines()) == 5
    assert here("jobs", "show", job["id"]).out == done.out
    assert job["id"] in here("jobs", "list").out
    assert "error[conflict]" in here("jobs", "cancel", job["id"]).err
    assert "error[not_found]" in here("jobs", "show", "nothing").err
    assert "Did you mean 'submit'?" in here("jobs", "submitt").err
    assert "write: sightline jobs submit NAME FOLDER..." in here("jobs", "submit", "colours").err
