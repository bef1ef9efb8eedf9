"""Standings from real rows, and canaries that rise, wait and are pulled back by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sightline.core import bundle
from sightline.core.errors import SettingsError
from sightline.core.progress import Event
from sightline.registering.registry import Registry, open_registry
from sightline.serving import arms, canaries, cascades
from sightline.serving.prediction import Prediction
from sightline.serving.predictions import Predictions, open_predictions
from sightline.serving.standings import standings
from tests.registering.conftest import model

NUMBERS = {"champion": 1, "challenger": 2}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Predictions]:
    with open_predictions(tmp_path / "log.db") as opened:
        yield opened


def fill(
    log: Predictions, traffic: arms.Traffic, count: int, *,
    failing: float = 0.0, slower: float = 1.0, wrong: float = 0.1, start: int = 0,
) -> None:  # fmt: skip
    """Requests of that many callers; the challenger fails, is slower and is wrong as told."""
    rng = np.random.default_rng(start)
    for number in range(start, start + count):
        drawn = arms.assign(traffic, f"caller {number}", "")
        tried = drawn.arm == "challenger"
        failed = tried and rng.random() < failing
        log.add(
            Prediction(
                f"r{number}", "parts", NUMBERS[drawn.arm], drawn.arm, drawn.experiment, caller=f"caller {number}",
                best="nut", score=float(rng.uniform(0.5, 1)), unsure=bool(rng.random() < 0.2),
                seconds=float(rng.lognormal(-4, 0.3)) * (slower if tried else 1.0),
                status=503 if failed else 200, error="worker_lost" if failed else "",
            )
        )  # fmt: skip
        if number % 10 == 0:
            log.label(f"r{number}", name="bolt" if rng.random() < (wrong if tried else 0.1) else "nut")
    assert log.writer.flush(20)


def test_differences_are_found_and_equals_are_left_alone(log: Predictions) -> None:
    traffic = arms.split({"champion": 50, "challenger": 50})
    fill(log, traffic, 1500, slower=1.3, wrong=0.9)
    (found,) = standings(log, "parts", traffic, NUMBERS)
    assert sum(found.counts) == 1500
    said = {name: found.says(name) for name in found.verdicts}
    assert said == {
        "errors": "no difference shown", "right": "worse", "unsure": "no difference shown", "seconds": "worse",
        "confidence": "no difference shown",
    }  # fmt: skip
    seconds = found.verdicts["seconds"]
    assert 1.15 < seconds.low < seconds.difference < seconds.high < 1.45
    assert found.verdicts["right"].subjects[0] > 50
    assert found.to_json()["verdicts"]["seconds"]["says"] == "worse"
    # Rows of another version, model or experiment are none of this one's.
    assert standings(log, "parts", traffic, {"champion": 1, "challenger": 3})[0].counts[1] == 0
    assert standings(log, "others", traffic, NUMBERS)[0].counts == (0, 0)
    assert standings(log, "parts", arms.split({"champion": 1, "challenger": 1}), NUMBERS)[0].counts == (0, 0)


def test_shadows_are_compared_answer_by_answer(log: Predictions) -> None:
    traffic = arms.shadow()
    for number in range(40):
        drawn = arms.assign(traffic, f"caller {number}", "")
        row = Prediction(f"r{number}", "parts", 1, "champion", drawn.experiment, best="nut")
        log.add(row)
        log.add(replace(row, number=2, arm="challenger", shadow=True, best="bolt" if number % 4 == 0 else "nut"))
    assert log.writer.flush(20)
    log.label("r1", right=True)  # of the answer that was given
    log.label("r4", name="bolt")
    (found,) = standings(log, "parts", traffic, NUMBERS)
    assert (found.same, found.counts) == ((30, 40), (40, 40))
    assert found.verdicts["right"].counts == (2, 1)
    assert (found.verdicts["right"].control, found.verdicts["right"].challenger) == (0.5, 1.0)


def test_what_a_small_model_could_answer_alone(log: Predictions) -> None:
    traffic = arms.shadow(("2",))
    for number in range(200):
        score = (number % 10) / 10 + 0.05
        row = Prediction(
            f"r{number}", "parts", 1, "champion", traffic.experiment, best="nut", score=score, unsure=False
        )
        log.add(row)
        alike = "nut" if score > 0.7 or number % 20 < 10 else "bolt"
        log.add(replace(row, number=2, arm="2", shadow=True, best=alike, score=0.99))
    assert log.writer.flush(20)
    found = {point.confidence: point for point in cascades.curve(log, "parts", traffic, "2")}
    assert (found[0.5].alone, found[0.5].same) == (0.5, 0.8)
    assert (found[0.7].count, found[0.7].same, found[0.7].high) == (60, 1.0, 1.0)
    assert 0.85 < found[0.7].low < 0.95
    assert found[0.5].low < 0.8 < found[0.5].high
    assert (found[0.99].count, found[0.99].low) == (0, 0.0)
    assert cascades.curve(log, "parts", arms.shadow(("2",)), "2")[0].count == 0


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with open_registry(tmp_path / "registry") as opened:
        for number, alias in enumerate(NUMBERS, 1):
            path = bundle.save(tmp_path / f"{number}.sightline", model(), {"card.md": alias.encode()})
            opened.register("parts", path, alias=alias)
        yield opened


def test_a_healthy_canary_rises_to_the_end(log: Predictions, registry: Registry) -> None:
    traffic, told = arms.canary(rise=arms.Rise(steps=(0.3, 0.6), seconds=0, least=20)), list[Event]()
    registry.set_traffic("parts", traffic.to_json())
    assert canaries.tend(registry, log, "parts", tell=told.append) == traffic  # nobody asked yet
    fill(log, traffic, 150)
    second = canaries.tend(registry, log, "parts", tell=told.append)
    assert second.rise is not None
    assert (second.shares["challenger"], second.rise.step, second.id) == (0.6, 1, traffic.id)
    assert canaries.tend(registry, log, "parts") == second  # its new step has no answers yet
    fill(log, second, 150, start=150)
    done = canaries.tend(registry, log, "parts", tell=told.append)
    assert done.rise is not None
    assert (done.rise.state, done.shares["challenger"]) == ("done", 0.6)
    assert canaries.tend(registry, log, "parts") == done
    assert [event.kind for event in told] == ["note", "note"]
    assert "all 2 steps" in told[1].text


@pytest.mark.parametrize(("failing", "slower", "why"), [(0.5, 1.0, "errors"), (0.0, 1.8, "seconds")])
def test_a_sick_canary_is_pulled_back_and_says_why(
    log: Predictions, registry: Registry, failing: float, slower: float, why: str
) -> None:
    traffic, told = arms.canary(rise=arms.Rise(steps=(0.3, 1.0), seconds=0, least=20)), list[Event]()
    registry.set_traffic("parts", traffic.to_json())
    fill(log, traffic, 400, failing=failing, slower=slower)
    canaries.tend_all(registry, log, tell=told.append)
    after = arms.Traffic.from_json(registry.traffic("parts"))
    assert after.rise is not None
    assert (after.rise.state, after.shares["challenger"]) == ("pulled", 0.0)
    assert after.rise.why.startswith(why)
    assert ";" not in after.rise.why
    assert [event.kind for event in told] == ["warn"]
    assert arms.assign(after, "anybody", "").arm == "champion"
    assert canaries.tend(registry, log, "parts") == after == arms.Traffic.from_json(registry.traffic("parts"))


def test_a_canary_without_a_control_does_not_rise_and_a_broken_one_is_pulled(log: Predictions) -> None:
    traffic = arms.canary(rise=arms.Rise(steps=(0.3, 1.0), seconds=0, least=20))
    for number, status in enumerate([200] * 40 + [503] * 200):
        error = "worker_lost" if status > 200 else ""
        row = Prediction(
            f"r{number}", "parts", 2, "challenger", traffic.experiment, caller="one", status=status, error=error
        )
        log.add(row)
        if number in (39, 239):
            assert log.writer.flush(20)
            (found,) = standings(log, "parts", traffic, NUMBERS)
            after = canaries.review(traffic, found, datetime.now(UTC))
            assert (found.counts, found.subjects, after is traffic) == ((0, number + 1), 1, number == 39)
    assert after.rise is not None
    assert after.rise.why == "it failed 200 of 240 requests"


def test_a_step_lasts_its_time(log: Predictions) -> None:
    traffic = arms.canary(rise=arms.Rise(steps=(0.3, 1.0), seconds=60, least=20))
    fill(log, traffic, 150)
    (found,) = standings(log, "parts", traffic, NUMBERS)
    now = datetime.now(UTC)
    assert canaries.review(traffic, found, now) is traffic
    later = canaries.review(traffic, found, now + timedelta(seconds=61))
    assert later.rise is not None
    assert later.rise.step == 1
    wrong = replace(traffic, rise=replace(traffic.rise, margins={"confidence": 1}))  # type: ignore[type-var]
    with pytest.raises(SettingsError):
        canaries.review(wrong, found, now)
