"""What is usual: its lesson on surfaces with and without flaws, and what it makes of names."""

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import ArrayImage
from sightline.core.inputs import Frame
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.tasks.novelty import TASK
from sightline.testing.toys import toy
from sightline.training.train import infer
from tests.tasks.lessons import Lesson


def surfaces(count: int = 160, flawed: float = 0.25) -> Dataset:
    """Brushed metal; some of it has a blot, in any place."""
    samples = []
    for index in range(count):
        rng = np.random.default_rng(index)
        light = 120 + rng.normal(0, 8, (48, 1)) + rng.normal(0, 6, (48, 48)) + rng.uniform(-10, 10)
        name = "blot" if index % 100 < 100 * flawed else "good"
        if name == "blot":
            y, x = rng.integers(2, 34, 2)
            light[y : y + 12, x : x + 12] += 55
        pixels = np.clip(light, 0, 255).astype(np.uint8)[..., None]
        samples.append(Sample(f"s-{index:03d}", (ArrayImage(pixels, f"s-{index:03d}"),), Labels((name,))))
    return Dataset(samples, name="surfaces", recipe=f"surfaces {count} {flawed}")


def named(sample: Sample) -> str | None:
    """The name on its label."""
    return sample.truth.best if isinstance(sample.truth, Labels) else None


LESSON = Lesson(lambda: surfaces(), lambda *_: 0.85, options={"features": "gabor+colour_histogram"})
FACTS = Facts({}, ("good", "other"))
FRAME = Frame(0, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0))


def test_one_name_to_learn_from_is_its_natural_reading() -> None:
    usual = Dataset([sample for sample in surfaces() if named(sample) == "good"], name="usual")
    assert TASK.fits(usual).strength == 2
    assert infer(usual, None) == "novelty"
    assert TASK.fits(surfaces()).strength == 1
    assert TASK.fits(Dataset([], name="none")).strength == 0
    assert TASK.prepare(surfaces(), TASK.Options(), "one_class").names == ("good", "other")


def test_the_usual_name_is_the_one_that_is_named_or_says_so_or_is_frequent() -> None:
    bare = Dataset(list(toy(Labels, 30))[:-1], name="toy", names=("blue", "green", "red"), kind=Labels)
    assert TASK.prepare(bare, TASK.Options(), "one_class").names == ("blue", "other")
    assert TASK.prepare(bare, TASK.Options(usual="red"), "one_class").names == ("red", "other")
    mostly = surfaces(flawed=0.8)
    assert TASK.prepare(mostly, TASK.Options(), "one_class").names == ("good", "other"), "the name says so"
    shouted = Dataset([Sample(str(row), truth=Labels((name,))) for row, name in enumerate(["NG", "NG", "OK"])])
    assert TASK.fits(shouted).why.startswith("OK is what is usual"), "said before anything is learnt, and in capitals"
    with pytest.raises(SettingsError, match=r"task\.usual = 'fine': is none of blot, good"):
        TASK.prepare(mostly, TASK.Options(usual="fine"), "one_class")


def test_a_model_of_pixels_is_refused() -> None:
    with pytest.raises(SettingsError, match="not by 'small'"):
        TASK.prepare(surfaces(), TASK.Options(), "small")


def test_names_become_usual_or_other_and_a_share_is_the_logistic_of_the_margin() -> None:
    samples = [Sample("a", truth=Labels(("good",))), Sample("b", truth=Labels(("blot",)))]
    frames = [Frame(place, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0)) for place in (0, 1)]
    assert TASK.targets(samples, frames, FACTS)["classes"].tolist() == [0, 1]
    said = [TASK.reference(sample, FACTS) for sample in samples]
    assert [one.best for one in said if isinstance(one, Labels)] == ["good", "other"]
    (answer,) = TASK.decode({"logits": np.array([[-0.5, 0.5]], np.float32)}, [FRAME], FACTS)
    assert isinstance(answer, Labels)
    assert answer.scores == pytest.approx([1 - 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-1))])
    with pytest.raises(InputError, match="c: it has no name"):
        TASK.targets([Sample("c")], frames[:1], FACTS)
