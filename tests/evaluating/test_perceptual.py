"""The distance of features: 0 for equal pictures, growing with damage, named after its backbone, nothing downloaded."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from sightline.core.annotations import Labels, Picture
from sightline.core.errors import InputError, SettingsError
from sightline.evaluating.perceptual import perceptual
from sightline.exporting.export import export
from sightline.testing.toys import toy
from sightline.training.train import train

QUICK = {"epochs": 1, "batch": 8, "precision": "float32", "layout": "plain", "threads": 1, "workers": 0}


def scene(seed: int = 0, side: int = 96) -> np.ndarray:
    rng = np.random.default_rng(seed)
    drawn = np.full((side, side, 3), 120, np.uint8)
    for _ in range(12):
        centre, colour = rng.integers(0, side, 2).tolist(), rng.integers(0, 255, 3).tolist()
        cv2.circle(drawn, centre, int(rng.integers(4, 20)), colour, -1, cv2.LINE_AA)
    return drawn


def test_it_grows_with_damage_and_is_named_after_its_backbone() -> None:
    metric = perceptual("small")
    assert metric.__name__ == "perceptual_small"
    true = scene()
    noise = np.random.default_rng(1).normal(0, 1, true.shape)
    found = [
        metric([Picture(true)], [Picture(np.clip(true + sigma * noise, 0, 255).astype(np.uint8))]).value
        for sigma in (0, 5, 15, 45)
    ]
    assert found[0] == 0
    assert found == sorted(found)
    assert found[-1] > 4 * found[1] > 0


def test_it_is_the_mean_of_normalised_maps() -> None:
    class Two(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
            return [x, torch.nn.functional.avg_pool2d(x * x, 2)]

    a, b = scene(1), scene(2)
    expected = 0.0
    maps = [[(p / 255 - 0.5) / 0.25] for p in (a, b)]
    for each in maps:
        each.append((each[0] ** 2).reshape(48, 2, 48, 2, 3).mean((1, 3)))
    for level in range(2):
        one, two = (each[level] / np.linalg.norm(each[level], axis=2, keepdims=True) for each in maps)
        expected += float(((one - two) ** 2).sum(2).mean()) / 2
    tally = perceptual(Two(), name="two")([Picture(a)] * 2, [Picture(b), Picture(a)])
    assert tally.rows[:, 0].tolist() == pytest.approx([expected, 0.0], rel=1e-5)
    assert (tally.better, tally.limits[0]) == ("lower", 0.0)


def test_the_same_seed_the_same_numbers_and_chance_is_left_alone() -> None:
    pair = [Picture(scene(3))], [Picture(scene(4))]
    state = torch.get_rng_state()
    values = [perceptual("small", seed=seed)(*pair).value for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("shape", [(20, 31, 3), (9, 9, 1), (70, 80, 5)])
def test_small_gray_and_deep_pictures_have_a_distance(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 65536, shape).astype(np.uint16) for _ in range(2))
    assert perceptual("small")([Picture(a)], [Picture(b)]).value > 0


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(SettingsError, match="gives logits"):
        perceptual("lenet")
    metric = perceptual("small")
    with pytest.raises(InputError, match="uint16"):
        metric([Picture(np.zeros((8, 8, 1), np.uint8))], [Picture(np.zeros((8, 8, 1), np.uint16))])
    with pytest.raises(InputError, match="one prediction a truth"):
        metric([Picture(scene())], [])
    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 96 * 96, 2))
    with pytest.raises(SettingsError, match="no maps"):
        perceptual(flat)([Picture(scene())], [Picture(scene())])


def test_a_run_and_its_bundle_see_with_trained_weights(tmp_path: Path) -> None:
    data = toy(Labels, 24)
    run = train(data, "classify", out=tmp_path / "run", settings=QUICK, look=False, model="small")
    export(run, data=data)
    pair = [Picture(scene(5))], [Picture(scene(6))]
    of_run, of_bundle = perceptual(run.path), perceptual(str(run.bundle))
    assert of_run.__name__ == "perceptual_small_run"
    assert of_run(*pair).value == of_bundle(*pair).value != perceptual("small")(*pair).value
