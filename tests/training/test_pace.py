"""A run that keeps to a time: what it spent is written down, and its plan follows the speed of its steps."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sightline.training.pace import Pace, Watch
from sightline.training.plan import Measured, most, plan
from sightline.training.state import State
from tests.training.workshop import loop, same, weights


@dataclass
class Clock:
    """Moves only when told."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_watch_goes_on_where_a_killed_one_was(tmp_path: Path) -> None:
    clock = Clock(100.0)
    watch = Watch(tmp_path / "spent.json", clock(), every=2.0, clock=clock)
    for clock.now in (101.0, 103.0, 104.0):
        assert watch.seconds() == clock.now - 100
    assert json.loads((tmp_path / "spent.json").read_text()) == {"seconds": 3.0}
    clock.now = 500.0  # nobody was there meanwhile
    again = Watch(tmp_path / "spent.json", clock(), clock=clock)
    assert again.seconds() == 3.0
    clock.now = 504.0
    assert again.seconds() == 7.0


def test_a_watch_that_cannot_be_read_begins_at_nothing(tmp_path: Path) -> None:
    (tmp_path / "spent.json").write_text("{half")
    assert Watch(tmp_path / "spent.json", 0.0, clock=Clock()).seconds() == 0.0


def _walk(pace: Pace, clock: Clock, each: Any, size: int, planned: float, between: float) -> tuple[float, list[float]]:
    """As the loop would: steps that take `each(step)` seconds, and a validation after each epoch."""
    state, step = State(), 0
    while True:
        while state.place < state.end([planned], size):
            made = pace.length(state.epoch, state.place, size, state.length([planned]))
            if made != state.length([planned]):
                state.paced.append([step, 0, made])
            clock.now += each(step)
            state.place, step = state.place + 1, step + 1
        clock.now += between
        state.epoch, state.place = state.epoch + 1, 0
        if state.epoch >= state.length([planned]):
            return clock.now, [row[2] for row in state.paced]


@pytest.mark.parametrize("slower", [0.5, 0.97, 1.0, 1.6, 4.0])
def test_it_ends_in_time_however_fast_the_steps_are(tmp_path: Path, slower: float) -> None:
    clock = Clock()
    pace = Pace(Watch(tmp_path / "s", 0.0, every=1e9, clock=clock), 100.0)
    end, _ = _walk(pace, clock, lambda step: 0.1 * slower, 50, 20.0, 0.0)
    assert 100 - 2 * slower <= end <= 100.0 + 0.2 * slower


def test_a_machine_that_slows_down_half_way_still_ends_in_time(tmp_path: Path) -> None:
    clock = Clock()
    pace = Pace(Watch(tmp_path / "s", 0.0, every=1e9, clock=clock), 100.0)
    end, changes = _walk(pace, clock, lambda step: 0.1 if step < 500 else 0.3, 50, 18.0, 0.5)
    assert 97.0 <= end <= 100.6
    assert min(changes) < 13.5


def test_validation_is_counted_in(tmp_path: Path) -> None:
    clock = Clock()
    pace = Pace(Watch(tmp_path / "s", 0.0, every=1e9, clock=clock), 100.0)
    end, _ = _walk(pace, clock, lambda step: 0.1, 50, 20.0, 3.0)
    assert 94.0 <= end <= 101.0


def test_more_epochs_than_help_are_not_made(tmp_path: Path) -> None:
    clock = Clock()
    pace = Pace(Watch(tmp_path / "s", 0.0, every=1e9, clock=clock), 100.0, most=4.0)
    end, _ = _walk(pace, clock, lambda step: 0.1, 50, 4.0, 0.0)
    assert end == pytest.approx(20.0)


class Noted(Pace):
    """Follows the notes of another run instead of a clock."""

    def __init__(self, notes: list[list[float]], state: State) -> None:
        self.notes, self.state = {int(step): epochs for step, _, epochs in notes}, state

    def length(self, epoch: int, place: int, size: int, now: float) -> float:
        return self.notes.get(self.state.step, now)


class Ticking(Pace):
    """Steps that get slower and slower, by a clock that only steps move."""

    def length(self, epoch: int, place: int, size: int, now: float) -> float:
        clock: Any = self.watch.clock
        clock.now += 0.1 + 0.02 * epoch
        return super().length(epoch, place, size, now)


def test_a_run_that_follows_the_notes_of_another_has_its_weights(tmp_path: Path) -> None:
    paced = loop(tmp_path / "paced", epochs=6)
    paced.pace = Ticking(Watch(tmp_path / "s", 0.0, every=1e9, clock=Clock()), 2.6)
    paced.go()
    notes = paced.state.paced
    assert notes
    assert notes[-1][2] < 6
    again = loop(tmp_path / "again", epochs=6)
    again.pace = Noted(notes, again.state)
    again.go()
    assert same(weights(paced), weights(again))
    assert paced.state.history == again.state.history
    plain = loop(tmp_path / "plain", epochs=6)
    plain.go()
    assert plain.state.step > again.state.step


def test_the_rate_reaches_its_end_at_the_new_end(tmp_path: Path) -> None:
    paced = loop(tmp_path / "paced", epochs=6, schedule="linear", schedule_settings={"last": 0.0}, warmup=0)
    paced.pace = Ticking(Watch(tmp_path / "s", 0.0, every=1e9, clock=Clock()), 2.6)
    rates: list[float] = []
    done: list[float] = []
    steps = type(paced)._take

    def noted(*words: Any) -> None:
        rates.append(words[5])
        done.append(words[6])
        steps(*words)

    type(paced)._take = noted  # type: ignore[method-assign, assignment]
    try:
        paced.go()
    finally:
        type(paced)._take = steps  # type: ignore[method-assign]
    assert rates[0] == 1.0
    assert rates[-1] < 0.15
    assert done[0] == 0.0
    assert 0.85 < done[-1] < 1.0


def test_a_later_phase_has_its_own_length() -> None:
    state = State(phase=1, paced=[[4, 0, 2.5]])
    assert state.length([6, 3]) == 3
    assert State(phase=0, paced=[[1, 0, 4.0], [4, 0, 2.5]]).length([6, 3]) == 2.5
    assert State(phase=0).end([0.25], 40) == 10


# -- plans ------------------------------------------------------------------------------------------------------------

FOUR = (
    Measured("ridge", 1e-3, True),
    Measured("s", 1e-3),
    Measured("m", 2e-3),
    Measured("l", 3e-3),
)


def test_the_last_rung_is_the_largest_that_gets_epochs_enough() -> None:
    chosen = {seconds: plan(FOUR, 40_000, 0.0, seconds)[-1].model for seconds in (60, 600, 1200, 3000)}
    assert chosen[60] == "s"
    assert list(chosen.values()) == sorted(chosen.values(), key="sml".index)
    assert chosen[3000] == "l"


@pytest.mark.parametrize(("pictures", "epochs", "model"), [(20_000, 5.5, "s"), (20_000, 6.5, "m"), (40_000, 5.0, "m")])
def test_of_fewer_pictures_a_larger_network_needs_more_epochs(pictures: int, epochs: float, model: str) -> None:
    seconds = epochs * pictures * 2e-3 / 0.95
    assert plan(FOUR[1:3], pictures, 0.0, seconds)[-1].model == model


@pytest.mark.parametrize("pictures", [20, 300, 5_000, 40_000])
@pytest.mark.parametrize("seconds", [1.0, 30.0, 300.0, 3000.0])
def test_a_plan_fits_into_its_time(pictures: int, seconds: float) -> None:
    rungs = plan(FOUR, pictures, 10.0, 10.0 + seconds)
    before = 10.0
    each = {one.model: one.seconds for one in FOUR}
    for rung in rungs:
        assert before <= rung.until <= 10.0 + seconds + 0.5
        if not rung.closed and rung.epochs > 1 / pictures:
            assert rung.epochs * pictures * each[rung.model] <= rung.until - before + 1e-6
        assert rung.epochs <= most(pictures)
        before = rung.until
    networks = [rung for rung in rungs if not rung.closed]
    assert networks[-1].until == 10.0 + seconds
    if len(networks) > 1 and most(pictures) > networks[-1].epochs:
        assert networks[-1].until - networks[-2].until >= 0.9 * (seconds - (networks[0].until - 10.0)) * 0.9
