"""Numbers that are not finite: met within a step, kept from every weight, traced to the picture that brings them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from sightline.core.errors import DivergedError, RunError
from sightline.core.progress import Event
from sightline.core.task import Step
from sightline.tasks.classify import Classify
from sightline.training import checkpoint
from sightline.training.guard import refuse_many, told
from tests.training.workshop import floats, loop, once_at, same, weights


class Breaks(Classify):
    """The loss of chosen steps is multiplied by what breaks it."""

    def __init__(self, at: set[int], factor: float, gradient_only: bool = False, times: int = 1) -> None:
        self.at, self.factor, self.gradient_only, self.times, self.calls = at, factor, gradient_only, times, 0

    def loss(self, step: Step) -> dict[str, Any]:
        parts = super().loss(step)
        if len(step.batch["classes"]) > 1:
            self.calls += 1
            if self.calls in self.at and self.times:
                self.times -= 1
                if self.gradient_only:  # finite forwards, not finite backwards
                    zero = next(iter(parts.values())) * 0
                    return {name: value + torch.sqrt(zero * zero) for name, value in parts.items()}
                return {name: value * self.factor for name, value in parts.items()}
        return parts


def test_a_poisoned_picture_is_named_and_skipped_and_the_rest_learns(tmp_path: Path) -> None:
    said: list[Event] = []
    made = loop(tmp_path, floats(poisoned=(5, 30)), tell=said.append)
    guilty = {s.id for s in made.train if s.id in ("float-05", "float-30")}
    assert guilty, "the split put every poisoned picture out of training"
    made.go()
    assert guilty <= made.state.skipped.keys()
    assert {e.facts["id"] for e in said if e.kind == "skip"} >= guilty
    assert made.learner.healthy()
    assert len(made.state.history) == 2


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_loss_that_breaks_once_restores_the_last_good_state_and_goes_on(tmp_path: Path, factor: float) -> None:
    said: list[Event] = []
    broken = loop(tmp_path / "broken", task=Breaks({4}, factor), tell=said.append)
    broken.go()
    whole = loop(tmp_path / "whole", task=Breaks(set(), 1.0))
    whole.go()
    assert any("not finite at step 3" in e.text for e in said if e.kind == "warn")
    assert same(weights(broken), weights(whole)), "the mended run must end where an unbroken one does"
    assert not broken.state.skipped


def test_a_gradient_that_breaks_is_caught_before_it_reaches_a_weight(tmp_path: Path) -> None:
    broken = loop(tmp_path / "broken", task=Breaks({4}, 1.0, gradient_only=True))
    broken.go()
    whole = loop(tmp_path / "whole", task=Breaks(set(), 1.0))
    whole.go()
    assert same(weights(broken), weights(whole))


def test_a_weight_that_breaks_is_caught_in_the_next_step(tmp_path: Path) -> None:
    whole = loop(tmp_path / "whole")
    whole.go()
    made = loop(tmp_path / "broken")

    def poison() -> None:
        with torch.no_grad():
            next(made.learner.network.parameters()).view(-1)[0] = float("nan")

    said: list[Event] = []
    poisoner = once_at(3, poison)
    made.tell = lambda event: (said.append(event), poisoner(event))[0]
    made.go()
    warned = [event.text for event in said if event.kind == "warn"]
    assert len(warned) == 1
    assert "step 3" in warned[0]
    assert same(weights(made), weights(whole))


def test_no_checkpoint_ever_holds_a_number_that_is_not_finite(tmp_path: Path) -> None:
    made = loop(tmp_path, task=Breaks({2, 5, 8}, float("nan"), times=3), checkpoint_seconds=1e-6)
    kept: list[bool] = []

    def tell(event: Event) -> None:
        if event.kind == "checkpoint":
            found = checkpoint.load(made.memory)
            assert found is not None
            kept.append(all(bool(torch.isfinite(v).all()) for v in found[0].values() if v.is_floating_point()))

    made.tell = tell
    made.go()
    assert len(kept) > 8
    assert all(kept)


def test_a_loss_that_keeps_breaking_says_what_to_do_and_leaves_a_good_state(tmp_path: Path) -> None:
    made = loop(tmp_path, task=Breaks(set(range(4, 100)), float("nan"), times=100))
    with pytest.raises(DivergedError, match=r"not finite at step \d, also after .*train\.rate"):
        made.go()
    found = checkpoint.load(made.memory)
    assert found is not None
    assert all(bool(torch.isfinite(value).all()) for value in found[0].values() if value.is_floating_point())


def test_too_many_poisoned_pictures_stop_the_run_with_the_list(tmp_path: Path) -> None:
    made = loop(tmp_path, floats(poisoned=tuple(range(0, 48, 2))))
    listed = r"samples cannot be used, more than 20%: (float-\d\d: its loss is not finite; ){3}"
    with pytest.raises(RunError, match=listed):
        made.go()


def test_a_reason_that_names_its_sample_does_so_once() -> None:
    assert told("a/1.png", "data/a/1.png: cut short.") == "data/a/1.png: cut short."
    assert told("3", "data/13.png: 3 x 3 pixels.") == "3: data/13.png: 3 x 3 pixels."
    skipped = {f"{n}.png": f"{n}.png: cut short." for n in range(12)}
    with pytest.raises(RunError) as caught:
        refuse_many(skipped, 20, 0.2)
    said = str(caught.value)
    assert said.startswith("12 of 20 samples cannot be used, more than 20%: 0.png: cut short; 1.png: cut short; 2.png")
    assert said.endswith("9.png: cut short; and 2 more. Mend the data, or raise train.bad_share.")
    refuse_many(skipped, 60, 0.2)
