"""What a service was asked to learn, by commands."""

from collections.abc import Callable
from pathlib import Path

from sightline.registering.registry import open_registry
from sightline.serving.places import TRAININGS
from sightline.serving.trainings import open_trainings
from tests.cli.conftest import Done


def test_a_look_makes_nothing(here: Callable[..., Done], tmp_path: Path) -> None:
    for words in (["list"], ["show", "x"], ["cancel", "x"], ["resume", "x"], ["run"]):
        done = here("trainings", *words)
        assert done.status == 2
        assert "there is no registry" in done.err
    assert list(tmp_path.iterdir()) == []


def test_trainings_are_listed_cancelled_and_taken_up_again(here: Callable[..., Done], tmp_path: Path) -> None:
    place = tmp_path / "registry"
    open_registry(place).close()
    assert "nothing was asked for" in here("trainings", "list").out
    with open_trainings(place / f"{TRAININGS}.db", place / TRAININGS) as trainings:
        asked = trainings.submit("parts", "shown", "one")
    assert "queued" in here("trainings", "list").out
    assert "cancelled" in here("trainings", "cancel", asked.id).out
    assert "the queue is empty" in here("trainings", "run").out
    assert here("trainings", "resume", asked.id, "--json").document["training"]["state"] == "queued"
    assert "no data set 'shown'" in here("trainings", "run", asked.id).out
    assert here("trainings", "show", "nothing").status == 2
    for words in (["go"], ["show"], ["list", "x"]):
        assert here("trainings", *words).status == 2
