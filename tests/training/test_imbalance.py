"""Rare names are noticed, said, shown as often as the others and kept by; even ones are left as they are."""

from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage
from sightline.core.progress import Event
from sightline.core.sample import Sample
from sightline.evaluating.evaluate import evaluate
from sightline.evaluating.studies import imbalance as study
from sightline.tasks.classify import Classify
from sightline.training.imbalance import imbalance
from sightline.training.settings import Settings
from sightline.training.train import train
from tests.training.workshop import QUICK

EPOCHS: dict[str, Any] = {**QUICK, "epochs": 4, "batch": 16, "threads": 1, "rate": 0.005}


def uneven(common: int, rare: int, *, others: int = 24) -> Dataset:
    """Dark and bright squares in noise, one of them rare where it is learnt; held-out sides are even."""
    samples = []
    for side, counts in (("train", (common, rare)), ("val", (others // 2,) * 2), ("test", (others,) * 2)):
        for name, count in zip(("bright", "dark"), counts, strict=True):
            for index in range(count):
                rng = np.random.default_rng([index, len(side), name == "dark"])
                pixels = rng.integers(60, 180, (32, 32, 3))
                x, y = rng.integers(2, 18, 2)
                pixels[y : y + 10, x : x + 10] += 28 if name == "bright" else -28
                picture = ArrayImage(pixels.clip(0, 255).astype(np.uint8))
                samples.append(Sample(f"{side}-{name}-{index}", (picture,), Labels((name,)), split=side))
    return Dataset(samples, name="uneven", names=("bright", "dark"), recipe=f"uneven {common} {rare} {others}")


def test_what_is_uneven_is_counted_and_what_is_even_is_not() -> None:
    task = Classify()
    found = imbalance(task, uneven(40, 4).side("train"), Settings())
    assert found is not None
    assert found["counts"] == {"bright": 40, "dark": 4}
    assert (found["ratio"], found["common"], found["rare"]) == (10, "bright", "dark")
    assert (found["sampling"], found["kept_by"]) == ("balanced", "balanced_accuracy")
    assert imbalance(task, uneven(12, 4).side("train"), Settings()) is None, "three to one is not much"
    assert imbalance(task, uneven(40, 0).side("train"), Settings()) is None
    chosen = imbalance(task, uneven(40, 4).side("train"), Settings(sampling="plain"))
    assert chosen is not None
    assert chosen["sampling"] == "plain", "what was asked for is done"


def test_the_rare_name_is_found_more_often_and_all_of_it_is_said(tmp_path: Path) -> None:
    said: list[Event] = []
    data, recalls, kept = uneven(150, 6), {}, {}
    for sampling in ("auto", "plain"):
        out, settings = tmp_path / sampling, {**EPOCHS, "sampling": sampling}
        run = train(data, out=out, settings=settings, look=False, tell=said.append)
        found = evaluate(run, data).studies["imbalance"]
        rare = found["names"][0]
        assert (rare["name"], rare["learnt_from"], rare["asked"]) == ("dark", 6, 24)
        recalls[sampling], kept[sampling] = rare["found"], found
        best = max(run.history, key=lambda row: row["val"]["balanced_accuracy"])
        assert run.history[run.info["best_epoch"] - 1]["val"]["balanced_accuracy"] == best["val"]["balanced_accuracy"]
    assert recalls["auto"] > recalls["plain"] + 4, recalls
    notes = [event.text for event in said if event.kind == "note"]
    assert any("bright 150, dark 6" in note and "every name is shown as often" in note for note in notes)
    assert any("sampling: balanced; an epoch shows dark (6) 13 times" in note for note in notes)
    shown = study.section(kept["auto"], None)  # type: ignore[arg-type]
    assert "25 times as many" in shown
    assert "Training showed every name as often." in shown
    assert "Training showed" not in study.section(kept["plain"], None)  # type: ignore[arg-type]


def test_even_names_are_learnt_as_ever(tmp_path: Path) -> None:
    data = uneven(20, 20)
    one, two = (
        train(data, out=tmp_path / way, settings={**EPOCHS, "epochs": 1, "sampling": way}, look=False)
        for way in ("auto", "plain")
    )
    assert one.weights.read_bytes() == two.weights.read_bytes()
    assert one.info["imbalance"] is None
    assert evaluate(one, data).studies.get("imbalance") is None
