"""Small pictures first, whole ones last: which epochs see what, and who can."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.reliability.kill_training import outcome, toy
from sightline.core.errors import SettingsError
from sightline.core.inputs import InputSpec
from sightline.core.task import Facts
from sightline.training.growing import GROWN, check, light, of_epoch, smaller, usual
from sightline.training.guard import Interrupted
from sightline.training.settings import Settings
from sightline.training.state import State
from sightline.training.step import Stepper
from sightline.training.train import train
from tests.training.workshop import QUICK, loop, once_at, same, weights

WHOLE = Facts({"image": InputSpec((32, 64))})


def test_sides_are_multiples_of_eight_and_never_larger() -> None:
    assert smaller(WHOLE, 0.75).input.size == (24, 48)
    assert smaller(WHOLE, 0.01).input.size == (8, 8)
    assert smaller(Facts({"image": InputSpec((5, 29))}), 0.99).input.size == (5, 29)
    assert smaller(Facts({"image": InputSpec((16, 32, 32))}), 0.5).input.size == (8, 16, 16)
    features = Facts({"image": InputSpec((64, 64), features="hog", length=9)})
    assert smaller(features, 0.5) == features


def test_what_it_saves_is_counted_in_pixels() -> None:
    assert light(WHOLE, 0.75) == 0.5625
    assert light(WHOLE, 1.0) == usual(WHOLE, 1.0) == 1.0
    assert usual(WHOLE, 0.75) == pytest.approx(GROWN * 0.5625 + 1 - GROWN)


def test_an_epoch_keeps_to_what_it_began_with() -> None:
    """Its length may be planned anew while it goes on."""
    state = State(epoch=5)
    assert of_epoch(WHOLE, 0.5, state, [10.0]).input.size == (16, 32)
    state.place = 3
    assert of_epoch(WHOLE, 0.5, state, [6.0]).input.size == (16, 32)
    assert State(**state.to_json()).small
    state.place = 0
    assert of_epoch(WHOLE, 0.5, state, [6.0]).input.size == (32, 64)


def _sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    seen: list[int] = []
    real = Stepper.take

    def take(self: Stepper, batches: Any, *given: Any, **named: Any) -> dict[str, float]:
        seen.append(int(next(iter(batches[0].values())).shape[1]))
        return real(self, batches, *given, **named)

    monkeypatch.setattr(Stepper, "take", take)
    return seen


def test_the_last_epochs_see_pictures_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _sizes(monkeypatch)
    made = loop(tmp_path, epochs=5, grow=0.5)
    whole = made.facts.input.size[0]
    made.go()
    steps = len(seen) // 5
    assert seen == [whole // 2] * 3 * steps + [whole] * 2 * steps
    assert not same(weights(made), weights(loop(tmp_path / "other", epochs=5)))


def test_stopped_in_a_small_epoch_it_continues_to_the_same_bits(tmp_path: Path) -> None:
    settings = {**QUICK, "epochs": 3, "grow": 0.5}
    whole = train(toy("labels"), out=tmp_path / "whole", settings=settings)
    stopping = once_at(4, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        train(toy("labels"), out=tmp_path / "stopped", settings=settings, tell=stopping)
    again = train(toy("labels"), out=tmp_path / "stopped", settings=settings)
    assert outcome(again.path) == outcome(whole.path)


class OneSize(torch.nn.Module):
    """A plain layer over all pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(32 * 64 * 3, 2)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": self.layer(image.float().flatten(1))}


def test_a_network_of_one_size_is_refused() -> None:
    check(OneSize(), WHOLE, "mine", "cpu")
    with pytest.raises(SettingsError, match=r"train\.grow: mine takes pictures of one size, not of 24 x 48 as well"):
        check(OneSize(), smaller(WHOLE, 0.75), "mine", "cpu")


@pytest.mark.parametrize("wrong", [0.0, -1.0, 1.5])
def test_a_share_is_more_than_nothing_and_at_most_all(wrong: float) -> None:
    with pytest.raises(SettingsError, match=r"train\.grow"):
        Settings(grow=wrong)
