"""The queue of trainings: turn by turn, held by one at a time, gone on with after a kill, failed with a reason."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import sightline
from benchmarks.reliability.servers import Server, binaries
from sightline.core.encoding import encode
from sightline.core.errors import ServingError, SettingsError, SightlineError
from sightline.registering.registry import open_registry
from sightline.serving.examples import example, open_examples
from sightline.serving.pupil import KEPT, _figure, _tidied, work
from sightline.serving.training import Wish
from sightline.serving.trainings import ATTEMPTS, WAITING, Trainings, open_trainings


@pytest.fixture
def trainings(tmp_path: Path) -> Trainings:
    return open_trainings(tmp_path / "trainings.db", tmp_path / "trainings")


def other(trainings: Trainings, process: int | None = None) -> Trainings:
    """Somebody else, in this process or in one that is gone."""
    found = Trainings(trainings.database, trainings.folder)
    if process is not None:
        host, _, rest = found.owner.rsplit("/", 2)
        found.owner = f"{host}/{process}/{rest}"
    return found


def gone() -> int:
    """The number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_callers_take_turns_whoever_asks_most(trainings: Trainings) -> None:
    first = [trainings.submit("a", "a", "one").id for _ in range(3)]
    second = [trainings.submit("b", "b", "two").id for _ in range(2)]
    order = []
    while (taken := trainings.take()) is not None:
        order.append(taken.id)
        trainings.finish(taken.id, 1, [])
    assert order == [first[0], second[0], first[1], second[1], first[2]]
    assert not trainings.waiting()


def test_one_holds_it_and_only_that_one_may_speak_for_it(trainings: Trainings) -> None:
    trainings.submit("a", "a", "one")
    taken = trainings.take()
    assert taken is not None
    assert taken.state == "running"
    another = other(trainings)
    assert another.take() is None
    assert not another.waiting(), "what is in living hands is no work for others"
    assert not another.finish(taken.id, 1, [])
    assert not another.renew(taken.id, "mine")
    assert trainings.renew(taken.id, "epoch 1 of 3", 40)
    assert (trainings.status(taken.id).note, trainings.status(taken.id).pictures) == ("epoch 1 of 3", 40)
    assert trainings.release(taken.id)
    again = another.take()
    assert again is not None
    assert again.id == taken.id


def test_what_a_dead_process_held_is_gone_on_with_until_it_is_given_up(trainings: Trainings) -> None:
    asked = trainings.submit("a", "a", "one")
    for _ in range(ATTEMPTS):
        dead = other(trainings, gone())
        taken = dead.take()
        assert taken is not None
        assert taken.id == asked.id
        assert trainings.waiting()
    assert trainings.take() is None
    found = trainings.status(asked.id)
    assert found.state == "failed"
    assert "died" in found.why
    assert trainings.resume(asked.id).state == "queued"
    assert trainings.take() is not None, "who resumes it has reason to think that it goes well now"


def test_what_fails_of_itself_is_given_up_like_what_kills(trainings: Trainings) -> None:
    asked = trainings.submit("a", "a", "one")
    for _ in range(ATTEMPTS):
        assert trainings.take() is not None
        assert trainings.release(asked.id, counted=True)
    assert trainings.take() is None
    assert trainings.status(asked.id).state == "failed"
    trainings.resume(asked.id)
    for _ in range(2 * ATTEMPTS):
        assert trainings.take() is not None
        assert trainings.release(asked.id), "an interruption is no attempt"


def test_the_runs_of_a_model_that_were_done_long_ago_go(trainings: Trainings) -> None:
    for model in ["a"] * (KEPT + 2) + ["b"]:
        asked = trainings.submit(model, "a", "one")
        asked.folder.mkdir(parents=True)
        trainings.take()
        trainings.finish(asked.id, 1, [])
        _tidied(trainings, asked)
    left = [one.model for one in trainings.every() if one.folder.is_dir()]
    assert sorted(left) == ["a"] * KEPT + ["b"]
    assert len(trainings.every()) == KEPT + 3, "what was done is still known"


def test_what_could_not_be_measured_is_nothing() -> None:
    row = {"name": "auc", "value": float("nan"), "low": 0.5, "high": float("inf"), "baseline": None, "count": 3}
    assert _figure(row) == {"name": "auc", "value": None, "low": 0.5, "high": None, "baseline": None, "count": 3}


def test_a_cancelled_one_is_nobodys(trainings: Trainings) -> None:
    asked = trainings.submit("a", "a", "one")
    taken = trainings.take()
    assert taken is not None
    assert trainings.of_dataset("a")
    assert trainings.cancel(asked.id).state == "cancelled"
    assert not trainings.of_dataset("a")
    assert not trainings.renew(asked.id)
    assert not trainings.finish(asked.id, 1, [])
    assert trainings.cancel(asked.id).state == "cancelled"
    trainings.resume(asked.id)
    assert trainings.take() is not None
    trainings.finish(asked.id, 3, [{"name": "accuracy", "value": 0.5}])
    done = trainings.status(asked.id)
    assert (done.state, done.number, done.figures) == ("done", 3, [{"name": "accuracy", "value": 0.5}])
    with pytest.raises(ServingError, match="is done, so it cannot be cancelled"):
        trainings.cancel(asked.id)


def test_what_cannot_be_wanted_is_refused(trainings: Trainings) -> None:
    for wish in ({"minutes": 0}, {"minutes": float("nan")}, {"minutes": 1e9}, {"task": "nothing"}, {"network": "none"}):
        with pytest.raises(SightlineError):
            Wish(**wish)  # type: ignore[arg-type]
    with pytest.raises(SettingsError):
        Wish(minutes=-1)
    with pytest.raises(SightlineError):
        trainings.submit("a b", "a", "one")
    with pytest.raises(SightlineError):
        trainings.submit("a", "a", "one", Wish(alias="7"))
    for _ in range(WAITING):
        trainings.submit("a", "a", "one")
    with pytest.raises(ServingError) as error:
        trainings.submit("a", "a", "one")
    assert error.value.code == "queue_full"
    assert trainings.submit("a", "a", "two").state == "queued"


def _taught(place: Path, count: int = 60) -> None:
    with open_examples(place / "examples.db", place / "examples") as examples:
        data = sightline.open_data(f"drawn:parts?count={count}&size=32")
        examples.add("parts", [example(sample.image.encoded(), sample.truth.names[0]) for sample in data])


def test_a_killed_training_goes_on_and_becomes_a_version(tmp_path: Path) -> None:
    place = tmp_path / "registry"
    open_registry(place).close()
    _taught(place)
    with open_trainings(place / "trainings.db", place / "trainings") as trainings:
        asked = trainings.submit("parts", "parts", "one", Wish(minutes=0.15, alias="candidate"))
        words = [sys.executable, "-m", "sightline", "trainings", "run", "--registry", str(place), "--quiet"]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until = time.monotonic() + 60
        while not (trainings.folder / asked.id / "run" / "spent.json").is_file() and time.monotonic() < until:
            assert process.poll() is None, process.communicate()[1].decode()
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert trainings.status(asked.id).state == "running"
        copied = (trainings.folder / asked.id / "data" / "samples.jsonl").read_bytes()
        with open_registry(place) as registry, open_examples(place / "examples.db", place / "examples") as examples:
            examples.add("parts", [example(sightline.open_data("drawn:cells?count=1")[0].image.encoded(), "odd")])
            assert work(trainings, examples, registry) == 1
            done = trainings.status(asked.id)
            assert done.state == "done", done.why
            assert (trainings.folder / asked.id / "data" / "samples.jsonl").read_bytes() == copied
            assert done.figures[0]["name"] == "accuracy"
            assert registry.aliases("parts") == {"champion": 1, "candidate": 1}
            assert registry.log("parts")[0].who == f"training {asked.id} for one"


def test_a_training_that_cannot_be_says_why(tmp_path: Path) -> None:
    place = tmp_path / "registry"
    with (
        open_registry(place) as registry,
        open_examples(place / "examples.db", place / "examples") as examples,
        open_trainings(place / "trainings.db", place / "trainings") as trainings,
    ):
        lonely = sightline.open_data("drawn:parts?count=1&size=32")[0].image.encoded()
        examples.add("one", [example(lonely, "only")])
        few = trainings.submit("one", "one", "me", Wish(minutes=0.05))
        none = trainings.submit("one", "missing", "me")
        assert work(trainings, examples, registry) == 2
        assert trainings.status(few.id).state == "failed"
        assert trainings.status(few.id).why
        assert "no data set 'missing'" in trainings.status(none.id).why
        assert registry.names() == []


@pytest.mark.slow
def test_data_sets_and_queue_live_in_postgresql_too(tmp_path: Path) -> None:
    if binaries() is None:
        pytest.skip("no PostgreSQL is installed")
    pictures = [encode(np.full((8, 8, 3), level, np.uint8)) for level in range(4)]
    with Server() as server:
        server.create("teaching")
        url = server.url("teaching")
        with (
            open_examples(url, tmp_path / "examples") as examples,
            open_trainings(url, tmp_path / "queue") as trainings,
        ):
            for level, picture in enumerate(pictures):
                examples.add("levels", [example(picture, "odd" if level % 2 else "even")])
            assert examples.add("levels", [example(pictures[0], "odd")]).names == {"even": 1, "odd": 3}
            assert examples.copy("levels", tmp_path / "copy") == 4
            first, second = (trainings.submit("levels", "levels", who) for who in ("one", "two"))
            assert [trainings.take(), trainings.take(), trainings.take()] == [
                trainings.status(first.id), trainings.status(second.id), None,
            ]  # fmt: skip
            assert not trainings.waiting()
            assert trainings.finish(first.id, 1, [])
            assert trainings.cancel(second.id).state == "cancelled"
            assert [one.state for one in trainings.every()] == ["cancelled", "done"]
