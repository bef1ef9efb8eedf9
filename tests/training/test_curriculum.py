"""The easy first: what an epoch shows, the same in every name and after a restart."""

from pathlib import Path

import numpy as np
import pytest

from sightline.auditing.suspects import suspects
from sightline.core.annotations import Labels
from sightline.core.chance import generator
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.training.curriculum import NAME, difficulties, easiest_first, shown
from sightline.training.sampling import check, draw_from
from sightline.training.train import train


def striped(count: int, noisy: int) -> Dataset:
    """Stripes up or across; the last ones drown in noise."""
    rng = np.random.default_rng(0)
    samples = []
    for n in range(count):
        wave = 128 + 80 * np.sin(np.arange(32) * 0.7 + rng.uniform(0, 6))
        pixels = np.tile(wave, (32, 1)) if n % 2 else np.tile(wave[:, None], (1, 32))
        noise = 150 if n >= count - noisy else 8
        pixels = pixels[..., None] + rng.normal(0, noise, (32, 32, 3))
        samples.append(Sample(str(n), (ArrayImage(pixels.clip(0, 255).astype(np.uint8)),), Labels(("ab"[n % 2],))))
    return Dataset(samples, name="striped", names=("a", "b"), kind=Labels)


def test_noise_is_harder_than_clear_stripes() -> None:
    found = suspects(striped(200, 60)).difficulty
    assert len(found) == 200
    assert np.mean(found[140:]) > 3 * np.mean(found[:140])


def test_each_name_has_its_own_order() -> None:
    place = easiest_first(["a", "b", "a", "b", "a", "a"], np.array([0.4, 0.9, 0.1, 0.8, 0.2, 0.3]))
    assert place.tolist() == [0.75, 0.5, 0.0, 0.0, 0.25, 0.5]
    assert shown(place, 0.0).tolist() == [2, 3, 4], "three tenths of each name"
    assert shown(place, 0.25).tolist() == [1, 2, 3, 4, 5]
    assert len(shown(place, 0.5)) == len(shown(place, 1.0)) == 6


def test_an_epoch_is_as_long_as_ever_and_the_hard_come_later() -> None:
    draw = draw_from(striped(200, 60), "curriculum")
    early = draw.rows(generator(0), 0.0)
    assert early is not None
    assert len(early) == 200
    kinds = np.array(early) % 200
    assert 55 <= len(set(kinds.tolist())) <= 65, "three tenths of them, several times each"
    assert (kinds >= 140).mean() < 0.05
    assert draw.rows(generator(0), 0.5) is None, "from the middle on every row comes once"


def test_what_was_measured_is_written_down_and_read_again(tmp_path: Path) -> None:
    data = striped(200, 60)
    first = difficulties(data, tmp_path)
    np.save(tmp_path / NAME, first[::-1])
    assert np.array_equal(difficulties(data, tmp_path), first[::-1])
    assert len(difficulties(data.take(range(150)), tmp_path)) == 150, "of other data it is measured anew"


def test_data_whose_names_cannot_be_told_apart_is_refused() -> None:
    rng = np.random.default_rng(1)
    noise = [ArrayImage(rng.integers(0, 255, (16, 16, 3), np.uint8)) for _ in range(240)]
    data = Dataset([Sample(str(n), (image,), Labels(("ab"[n % 2],))) for n, image in enumerate(noise)], kind=Labels)
    with pytest.raises(InputError, match="what is easy"):
        draw_from(data, "curriculum")
    with pytest.raises(SettingsError, match="curriculum"):
        check("curriculum:site")


def test_a_run_with_a_curriculum_learns(tmp_path: Path) -> None:
    place = "drawn:shapes?count=120&size=32"
    assert suspects(open_data(place)).able
    settings = {"epochs": 2, "sampling": "curriculum", "workers": 0}
    run = train(place, "classify", model="ridge", out=tmp_path / "run", settings=settings, look=False)
    assert run.info["settings"]["sampling"] == "curriculum"
    assert (tmp_path / "run" / NAME).is_file()
