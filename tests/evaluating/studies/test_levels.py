"""Accuracy level by level, the deepest first, on answers whose levels are known."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.evaluating.scene import Scene
from sightline.evaluating.studies import levels
from sightline.tasks.classify import TASK
from sightline.testing.toys import toy

NAMES = ("animal/cat", "animal/dog", "plant/fern", "plant/moss")
FACTS = Facts({"image": InputSpec((32, 32))}, NAMES, {}, {"parents": ["animal", "plant"]})
ROWS = [  # right; wrong leaf of the right parent; wrong parent; best leaf outside the best parent
    ("animal/cat", (0.7, 0.1, 0.1, 0.1)),
    ("animal/dog", (0.6, 0.3, 0.1, 0.0)),
    ("plant/fern", (0.0, 0.9, 0.1, 0.0)),
    ("plant/moss", (0.4, 0.0, 0.3, 0.3)),
]


def _scene(names: tuple[str, ...] = NAMES) -> Scene:
    pictures = toy(Labels, 6)
    samples = [
        Sample(str(row), pictures[row].images, Labels((true,)), split="test") for row, (true, _) in enumerate(ROWS)
    ]
    vague = [Sample(f"v{row}", pictures[row].images, Labels(("plant",)), split="test") for row in (4, 5)]
    other = Sample("t", pictures[0].images, Labels(("plant",)), split="train")
    given = [Labels(names, np.array(scores)) for _, scores in ROWS]

    def passes(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"logits": np.log(np.tile([0.1, 0.2, 0.6, 0.1], (len(arrays["image"]), 1)))}

    sides = Dataset([*samples, *vague, other], kind=Labels)
    truths = [sample.truth for sample in samples]
    return Scene(TASK, replace(FACTS, names=names), passes, None, samples, truths, given, sides)  # type: ignore[arg-type]


def test_every_level_over_those_whose_truth_is_known_that_far() -> None:
    found = levels.study(_scene())
    assert found is not None
    leaf, parent = found["levels"]
    assert (leaf["depth"], leaf["value"], leaf["count"], leaf["names"]) == (2, 1 / 4, 4, 4)
    assert parent["depth"] == 1
    assert parent["count"] == 6, "two are known by their parent alone, of this side"
    assert parent["value"] == pytest.approx(5 / 6)
    assert parent["low"] < parent["value"] < parent["high"]
    assert found["agree"] == 3 / 4
    assert found["partial"] == 2
    page = levels.section(found, _scene())
    assert "2 (as answered)" in page
    assert "75%" in page


def test_names_without_others_above_them_have_one_level() -> None:
    assert levels.study(_scene(("cat", "dog", "fern", "n/a"))) is None


def test_levels_that_the_data_set_says() -> None:
    """The same figures where names do not say themselves what they stand under."""
    wanted = levels.study(_scene())
    short = {name: name.rpartition("/")[2] for name in NAMES}
    scene = _scene(tuple(short.values()))
    above = {leaf: name.partition("/")[0] for name, leaf in short.items()}
    known = [Labels((short.get(truth.best, truth.best),)) for truth in scene.truths]  # type: ignore[attr-defined]
    facts = replace(scene.facts, extra={"parents": ["animal", "plant"], "above": above})
    assert levels.study(replace(scene, truths=known, facts=facts)) == wanted
