"""The published corruptions: harder by severity, as strong as published, and the same on every machine."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.augmentations import corruptions
from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.errors import SettingsError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

GOLDEN = Path(__file__).parent / "corruptions.json"
FIFTEEN = (
    *("gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    *("snow", "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression"),
)
FOUR = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
RNG = np.random.default_rng


def photograph() -> np.ndarray:
    """Smooth shapes and fine texture in muted colours, 96 x 128."""
    y, x = np.mgrid[:96, :128] / 96
    rng = RNG(5)
    base = np.stack([0.45 + 0.2 * np.sin(5 * x + y), 0.4 + 0.15 * np.cos(4 * y), 0.35 + 0.2 * x * y], -1)
    base[30:70, 40:90] = (0.7, 0.35, 0.25)
    base += 0.05 * rng.standard_normal((96, 128, 1))
    return (base.clip(0, 1) * 255).astype(np.uint8)


def corrupted(name: str, severity: float, seed: int = 0, pixels: np.ndarray | None = None) -> np.ndarray:
    one = Sample("s", (ArrayImage(photograph() if pixels is None else pixels),), Labels(("a",)))
    return catalog.find("augmentations", name)(one, RNG(seed), severity=severity).pixels()


def test_all_are_there() -> None:
    assert {*FIFTEEN, *FOUR} <= set(catalog.names("augmentations"))


@pytest.mark.parametrize("name", [*FIFTEEN, *FOUR])
def test_higher_severities_are_farther_from_the_picture(name: str) -> None:
    clean = photograph().astype(float)
    far = [
        np.mean([np.sqrt(np.mean((corrupted(name, s, seed) - clean) ** 2)) for seed in range(3)]) for s in range(1, 6)
    ]
    if name == "saturate":
        assert far[1] > far[0], "paler"
        assert far[4] > far[3] > far[2], "then stronger"
    elif name == "spatter":
        assert far[4] > far[2] > 2, "mud hides more than water"
    elif name == "glass_blur":
        assert far[4] > far[2] > far[0]
    else:
        assert all(later > 0.94 * sooner for sooner, later in pairwise(far)), far
        assert far[4] > 1.1 * far[0] > 0


@pytest.mark.parametrize(
    ("name", "constants"),
    [
        ("gaussian_noise", (0.08, 0.12, 0.18, 0.26, 0.38)),
        ("speckle_noise", (0.15, 0.2, 0.35, 0.45, 0.6)),
        ("shot_noise", (60, 25, 12, 5, 3)),
        ("impulse_noise", (0.03, 0.06, 0.09, 0.17, 0.27)),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_noise_is_as_strong_as_published(name: str, constants: tuple[float, ...], dtype: str) -> None:
    """On a gray of 0.4, before clipping matters: the deviations of the definitions."""
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    gray = np.full((120, 120, 3), 0.4 * top).astype(dtype)
    for severity in (1, 2, *((5,) if name == "impulse_noise" else ())):
        constant = constants[severity - 1]
        got = corrupted(name, severity, pixels=gray).astype(float) / top - 0.4
        if name == "impulse_noise":
            hit = np.abs(got) > 0.3
            assert hit.mean() == pytest.approx(constant, rel=0.06)
            assert (got[hit] > 0).mean() == pytest.approx(0.5, abs=0.03)
            continue
        want = {"gaussian_noise": constant, "speckle_noise": 0.4 * constant, "shot_noise": (0.4 / constant) ** 0.5}[
            name
        ]
        assert got.std() == pytest.approx(want, rel=0.04)
        assert abs(got.mean()) < 0.004


def test_photons_are_counted() -> None:
    """Three photons at white: a gray of one third shows 0, 1, 2, 3 of them by Poisson's law."""
    gray = np.full((200, 200, 1), 85, np.uint8)
    got = corrupted("shot_noise", 5, pixels=gray)
    values, counts = np.unique(got, return_counts=True)
    assert values.tolist() == [0, 85, 170, 255]
    share = np.exp(-1) * np.array([1, 1, 1 / 2])
    np.testing.assert_allclose(counts[:3] / counts.sum(), share, atol=0.01)


@pytest.mark.parametrize("name", [*FIFTEEN, *FOUR])
def test_severities_in_between_lie_in_between(name: str) -> None:
    clean = photograph().astype(float)
    low, middle, high = (np.abs(corrupted(name, s) - clean).mean() for s in (4.0, 4.5, 5.0))
    assert min(low, high) * 0.85 <= middle <= max(low, high) * 1.15


@pytest.mark.parametrize("severity", [0, 6, 0.5, (0, 3)])
def test_other_severities_are_refused(severity: Any) -> None:
    with pytest.raises(SettingsError, match="from 1 to 5"):
        corrupted("fog", severity)


def test_contrast_keeps_the_mean_and_brightness_the_hue() -> None:
    clean = photograph().astype(float)
    np.testing.assert_allclose(corrupted("contrast", 3).mean((0, 1)), clean.mean((0, 1)), atol=0.6)
    bright = corrupted("brightness", 2).astype(float)
    np.testing.assert_allclose(bright.max(2), np.minimum(clean.max(2) + 0.2 * 255, 255), atol=1)
    ratio = bright / bright.max(2, keepdims=True)
    assert np.abs(ratio - clean / clean.max(2, keepdims=True)).max() < 0.02


def test_blurs_keep_the_light() -> None:
    for name in ("gaussian_blur", "defocus_blur", "motion_blur", "zoom_blur", "glass_blur"):
        for severity in (1, 3, 5):
            assert abs(corrupted(name, severity).mean() - photograph().mean()) < 3


def test_a_streak_is_one_sided_and_as_long_as_published() -> None:
    dot = np.zeros((81, 81, 1), np.float32)
    dot[40, 40] = 1
    for severity in (1, 5):
        got = corrupted("motion_blur", severity, 2, pixels=dot)[..., 0]
        assert got.sum() == pytest.approx(1, abs=1e-3)
        rows, columns = np.nonzero(got > 1e-5)
        assert got[40, 40] > 0.4 * got.max(), "it begins at the dot"
        assert columns.max() == 40 or columns.min() == 40, "it fades one way"
        assert max(np.ptp(rows), np.ptp(columns)) in (range(7, 13) if severity == 1 else range(26, 42))


def blocks(pixels: np.ndarray) -> list[list[list[float]]]:
    """Means of 4 x 4 blocks, which no rounding of one library or processor moves."""
    return pixels.reshape(4, 24, 4, 32, 3).mean((1, 3)).round(2).tolist()


def golden() -> dict[str, Any]:
    return {
        f"{name} {severity}": blocks(corrupted(name, severity, 11))
        for name in (*FIFTEEN, *FOUR)
        for severity in (1, 3, 5)
    }


def test_they_are_the_same_everywhere() -> None:
    """Kept once and for all: robustness curves of different days and machines can be compared."""
    kept = json.loads(GOLDEN.read_text())
    made = golden()
    assert kept.keys() == made.keys()
    for name, want in kept.items():
        np.testing.assert_allclose(made[name], want, atol=0.6, err_msg=name)


def test_what_is_made_otherwise_says_so() -> None:
    assert "photographs" in (corruptions.frost.__doc__ or "")
    assert "published in order" in (corruptions.glass_blur.__doc__ or "")
