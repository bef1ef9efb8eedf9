"""Whole policies: as strong as asked, and every move is reached."""

import numpy as np

from sightline.augmentations import policies
from sightline.core.carried import trail
from tests.contracts.test_augmentations import content, sample, scene

RNG = np.random.default_rng


def test_magnitude_is_how_far() -> None:
    clean = scene()

    def far(magnitude: float) -> float:
        return float(
            np.mean(
                [
                    np.abs(
                        policies.rand_augment(sample(clean), RNG(s), magnitude=magnitude, spread=0).pixels() / 255
                        - clean / 255
                    ).mean()
                    for s in range(80)
                ]
            )
        )

    assert far(9) > 1.15 * far(3)


def test_count_is_how_many() -> None:
    for seed in range(5):
        assert content(policies.rand_augment(sample(scene()), RNG(seed), count=0)) == content(sample(scene()))
    moved = []
    for count in (1, 4):
        with trail() as warps:
            for seed in range(60):
                policies.rand_augment(sample(scene()), RNG(seed), count=count)
        moved.append(len(warps))
    assert moved[1] > 3 * moved[0]


def test_every_move_is_reached_and_one_at_a_time() -> None:
    kinds = set()
    for seed in range(150):
        with trail() as warps:
            got = policies.trivial_augment(sample(scene()), RNG(seed))
        assert len(warps) <= 1
        kinds.add("moved" if warps else "same" if content(got) == content(sample(scene())) else "changed")
    assert kinds == {"moved", "same", "changed"}


def test_gray_pictures_and_many_channels_are_welcome() -> None:
    for channels in (1, 2, 5):
        for seed in range(40):
            for move in (policies.rand_augment, policies.trivial_augment):
                assert move(sample(scene("uint16", channels)), RNG(seed)).pixels().shape == (48, 64, channels)
