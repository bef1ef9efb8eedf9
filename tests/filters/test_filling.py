"""Holes: exactly the pixels of the mask are invented, texture goes on, nothing of what was there shines through."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sightline.core.chance import generator
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import write_image
from sightline.filters._patches import _Search
from sightline.filters.filling import navier_stokes, patch_fill, telea
from sightline.filters.scratches import descratch
from tests.filters._drawn import TOPS, as_depth, noisy, psnr, scene

DEPTHS = tuple(TOPS)
FILLS = (telea, navier_stokes, patch_fill)


def hole(rows: int = 160, columns: int = 200) -> np.ndarray:
    mask = np.zeros((rows, columns), np.uint8)
    cv2.line(mask, (10, 20), (columns - 20, rows - 30), 255, 3)
    cv2.circle(mask, (columns // 2, rows // 3), 9, 255, -1)
    return mask


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("fill", FILLS)
def test_only_the_mask_is_invented_and_what_was_there_is_forgotten(fill: object, channels: int, depth: str) -> None:
    mask = hole()
    true = as_depth(np.repeat(scene(1), 2, 2)[..., :channels], depth)
    ruined, other = true.copy(), true.copy()
    ruined[mask > 0], other[mask > 0] = 0, TOPS[depth]
    made = fill(ruined, mask=mask)  # type: ignore[operator]
    assert np.array_equal(made[mask == 0], true[mask == 0])
    assert np.array_equal(made, fill(other, mask=mask))  # type: ignore[operator]
    assert psnr(true, made) > psnr(true, ruined) + 10
    assert psnr(true[mask > 0], made[mask > 0]) > 17


@pytest.mark.parametrize("fill", FILLS)
def test_a_mask_may_be_a_file_and_must_fit(fill: object, tmp_path: Path) -> None:
    given, mask = as_depth(scene(2), "uint8"), hole()
    write_image(tmp_path / "mask.png", mask[..., None])
    made = fill(given, mask=str(tmp_path / "mask.png"))  # type: ignore[operator]
    assert np.array_equal(made, fill(given, mask=mask > 0))  # type: ignore[operator]
    with pytest.raises(InputError, match="make them equal"):
        fill(given, mask=mask[:-1])  # type: ignore[operator]
    with pytest.raises(InputError, match="whole picture"):
        fill(given, mask=np.ones_like(mask))  # type: ignore[operator]
    with pytest.raises(InputError) as caught:
        fill(given, mask=str(tmp_path / "none.png"))  # type: ignore[operator]
    assert caught.value.code == "missing"
    with pytest.raises(SettingsError, match="mask is an array or the path"):
        fill(given, mask=5)  # type: ignore[operator]


@pytest.mark.parametrize("fill", FILLS)
def test_without_a_mask_what_is_no_number_is_filled(fill: object) -> None:
    given = as_depth(scene(3), "float32")
    broken = given.copy()
    broken[30:34, 40:44, 1] = np.nan
    broken[60, 60] = np.inf
    made = fill(broken)  # type: ignore[operator]
    assert np.isfinite(made).all()
    assert psnr(given, made) > 35
    whole = fill(given)  # type: ignore[operator]
    assert np.array_equal(whole, given)
    assert whole is not given


def weave(rows: int = 128, columns: int = 160) -> np.ndarray:
    down, right = np.mgrid[:rows, :columns]
    pattern = ((down // 6 + right // 6) % 2) * 0.5 + 0.25
    return np.repeat(pattern[..., None], 3, 2).astype(np.float32) * np.array([1, 0.8, 0.6], np.float32)


def test_patches_continue_a_texture_that_flows_cannot() -> None:
    true = as_depth(weave(), "uint8")
    mask = np.zeros(true.shape[:2], bool)
    mask[48:84, 60:100] = True
    patches, flow = patch_fill(true, mask=mask), telea(true, mask=mask)
    assert psnr(true[mask], patches[mask]) > psnr(true[mask], flow[mask]) + 5
    assert psnr(true[mask], patches[mask]) > 16


def test_the_same_seed_fills_the_same() -> None:
    given = as_depth(noisy(scene(4), 6), "uint8")
    mask = hole()
    first, again, other = (patch_fill(given, mask=mask, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_matches_of_half_the_size_lead_to_those_of_the_whole() -> None:
    mask = np.zeros((60, 60), bool)
    mask[28:32, 28:32] = True
    search = _Search(mask, 5, generator("test"))
    coarse = np.full((30, 30), -6), np.full((30, 30), 9)
    down, right = search.start(coarse)
    assert (down[search.rows, search.columns] == -12).all()
    assert (right[search.rows, search.columns] == 18).all()


@pytest.mark.parametrize("shape", [(3, 3), (1, 9), (12, 7), (49, 50)])
def test_small_pictures_are_filled(shape: tuple[int, int]) -> None:
    given = np.random.default_rng(0).integers(100, 120, (*shape, 3)).astype(np.uint8)
    mask = np.zeros(shape, np.uint8)
    mask[shape[0] // 2, shape[1] // 2] = 1
    mask[0, 0] = 1
    for fill in FILLS:
        made = fill(given, mask=mask)
        assert made.min() >= 99
        assert made.max() <= 120


@pytest.mark.parametrize("turn", range(4))
def test_letters_and_rims_are_no_scratches(turn: int) -> None:
    """What lies in a row but has gaps, and what parts a light side from a dark one, in whatever direction."""
    letters = np.full((160, 200), 230, np.uint8)
    for row in range(20, 160, 24):
        cv2.putText(letters, "il it lil ill tilt", (4, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 20, 2)
    dashed = np.full((160, 200), 120, np.uint8)
    for start in range(0, 200, 9):
        cv2.line(dashed, (start, 30 + start // 4), (start + 5, 31 + start // 4), 240, 2)
    rim = np.full((160, 200), 200, np.uint8)
    cv2.fillPoly(rim, [np.array([(0, 60), (199, 100), (199, 159), (0, 159)])], 60)
    cv2.line(rim, (0, 60), (199, 100), 250, 2)
    for drawn in (letters, dashed, rim):
        given = np.ascontiguousarray(np.rot90(drawn, turn))
        assert (descratch(given) != given).mean() < 0.001
        torn = given.copy()
        cv2.line(torn, (30, 150), (150, 20), 255 if drawn is not letters else 120, 2)
        changed = descratch(torn) != torn
        assert changed.mean() > 0.005, "a scratch through it is still seen"
        band = cv2.line(np.zeros_like(torn), (30, 150), (150, 20), 1, 15) > 0
        assert (changed & ~band).mean() < 0.015, "and little else"


@pytest.mark.parametrize("depth", DEPTHS)
def test_scratches_are_found_and_mended(depth: str) -> None:
    true = as_depth(noisy(scene(5), 2), depth)
    torn = true.copy()
    rng = np.random.default_rng(0)
    for number in range(5):
        x = int(rng.integers(20, 180))
        level = 0.97 if number % 2 else 0.02
        colour = [TOPS[depth] * level] * 3
        cv2.line(torn, (x, 0), (x + int(rng.integers(-20, 20)), 159), colour, 1 + number % 3)
    made = descratch(torn)
    assert psnr(true, made) > psnr(true, torn) + 4
    light = descratch(torn, tone="light")
    assert psnr(true, torn) < psnr(true, light) < psnr(true, made)
    even = as_depth(noisy(np.full((80, 90, 3), 0.5, np.float32), 10), depth)
    assert np.array_equal(descratch(even), even), "noise is no scratch"
    with pytest.raises(SettingsError, match=r"tone = 'lihgt'.*Did you mean 'light'"):
        descratch(torn, tone="lihgt")
