"""Art: known shapes become what each filter says."""

import cv2
import numpy as np
import pytest

from sightline.core.errors import InputError, SettingsError
from sightline.filters.art import cartoon, cut_out, emboss, oil, pencil, portrait, sepia, vintage
from tests.filters._drawn import TOPS, as_depth, noisy, scene

DEPTHS = tuple(TOPS)


def light(pixels: np.ndarray) -> np.ndarray:
    return pixels / TOPS[pixels.dtype.name]


@pytest.mark.parametrize("edit", [cartoon, pencil, emboss, oil, sepia, vintage, portrait, cut_out])
def test_depths_agree(edit: object) -> None:
    given = as_depth(scene(1), "uint8")
    fine = edit((given / np.float32(255)).astype(np.float32))  # type: ignore[operator]
    for depth, most in (("uint8", 1 / 255), ("uint16", 2e-4)):
        same = given.astype(depth) * np.dtype(depth).type(TOPS[depth] / 255)
        apart = np.abs(light(edit(same)) - fine)  # type: ignore[operator]
        assert np.quantile(apart, 0.999) < most, depth
        assert apart.mean() < most / 2


def test_a_cartoon_has_even_areas_and_dark_lines() -> None:
    given = as_depth(noisy(scene(2), 4), "uint8")
    made = cartoon(given)
    even = np.abs(np.diff(made.astype(int), axis=1)).max(2) <= 1
    assert even.mean() > 1.5 * (np.abs(np.diff(given.astype(int), axis=1)).max(2) <= 1).mean()
    disc = np.full((80, 80, 3), 200, np.uint8)
    cv2.circle(disc, (40, 40), 20, (120, 120, 120), -1, cv2.LINE_AA)
    ring = cv2.circle(np.zeros((80, 80), np.uint8), (40, 40), 19, 255, 2) > 0
    assert cartoon(disc, edges=2.0)[ring].mean() < cartoon(disc, edges=0.0)[ring].mean() - 10


def test_a_pencil_draws_edges_on_white() -> None:
    given = np.full((80, 80, 3), (90, 120, 60), np.uint8)
    given[:, 40:] = 200
    made = pencil(given)
    assert made[40, 10].min() > 245
    assert made[40, 70].min() > 245
    assert made[40, 37].max() < 215, "the dark side of the edge"
    assert np.ptp(made[40, 37].astype(int)) == 0
    assert np.ptp(pencil(given, colour=1.0)[40, 10].astype(int)) > 30


def test_a_relief_is_lit_from_its_angle() -> None:
    bump = np.zeros((41, 41), np.float32)
    cv2.circle(bump, (20, 20), 8, 1.0, -1)
    bump = cv2.GaussianBlur(bump, (0, 0), 2)
    from_left, from_above = emboss(bump, angle=180.0), emboss(bump, angle=90.0)
    assert from_left[20, 12] > 0.7
    assert from_left[20, 28] < 0.3
    assert from_above[12, 20] > 0.7
    assert from_above[28, 20] < 0.3
    assert [from_left[2, 2], from_left[20, 20]] == pytest.approx([0.5, 0.5], abs=0.01)


def test_oil_takes_the_mean_of_the_most_frequent_tone() -> None:
    given = as_depth(noisy(scene(3, 40, 44), 20), "float32")
    made = oil(given, radius=2, tones=8)
    gray = given @ np.array([0.299, 0.587, 0.114], np.float32)
    bins = np.minimum((gray * 8).astype(int), 7)
    for y, x in ((10, 11), (20, 30), (5, 38), (33, 8)):
        window = np.s_[y - 2 : y + 3, x - 2 : x + 3]
        counts = np.bincount(bins[window].ravel(), minlength=8)
        most = int(np.argmax(counts))
        assert made[y, x] == pytest.approx(given[window][bins[window] == most].mean(0), abs=1e-4)


def test_sepia_is_brown_and_vintage_is_pale_with_dark_corners() -> None:
    gray = np.full((60, 80, 3), 128, np.uint8)
    assert sepia(gray)[0, 0].tolist() == [173, 154, 120]
    assert sepia(gray, amount=0.5)[0, 0].tolist() == [150, 141, 124]
    old = vintage(gray, grain=0.0)
    assert old[0, 0].mean() < 0.8 * old[30, 40].mean()
    assert old[30, 40, 0] > old[30, 40, 2] + 15
    assert vintage(np.zeros_like(gray), grain=0.0)[30, 40].min() > 12, "no black is left"
    rough = [vintage(gray, seed=seed) for seed in (0, 0, 1)]
    assert np.array_equal(rough[0], rough[1])
    assert not np.array_equal(rough[0], rough[2])
    for edit in (sepia, vintage):
        with pytest.raises(InputError, match="three channels"):
            edit(gray[..., 0])


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_portrait_keeps_its_subject_and_its_colours_apart(depth: str) -> None:
    rng = np.random.default_rng(0)
    ground = rng.random((120, 160, 1)).astype(np.float32) * np.array([0.1, 0.8, 0.1], np.float32)
    mask = cv2.circle(np.zeros((120, 160), np.uint8), (80, 60), 30, 1, -1)
    drawn = np.where(mask[..., None] > 0, np.array([0.85, 0.1, 0.1], np.float32), ground)
    given = as_depth(drawn, depth)
    made = portrait(given, mask=mask, radius=6.0, feather=0)
    assert np.abs(light(made)[mask > 0] - light(given)[mask > 0]).max() < 1e-2
    outside = np.s_[:, 5:35]
    assert light(made)[outside][..., 1].std() < 0.3 * light(given)[outside][..., 1].std()
    rim = (cv2.dilate(mask, np.ones((7, 7))) > 0) & (mask == 0)
    assert light(made)[rim][:, 0].mean() < 0.12, "red of the subject does not run into the ground"
    assert portrait(given).shape == given.shape
    with pytest.raises(InputError, match="make them equal"):
        portrait(given, mask=mask[1:])
    with pytest.raises(SettingsError, match="radius"):
        portrait(given, radius=-1)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_box_tells_the_subject(depth: str) -> None:
    rng = np.random.default_rng(1)
    drawn = rng.uniform(0.1, 0.4, (96, 96, 3)).astype(np.float32) * np.array([0.2, 1, 0.3], np.float32)
    subject = cv2.ellipse(np.zeros((96, 96), np.uint8), (48, 50), (16, 26), 0, 0, 360, 1, -1) > 0
    drawn[subject] = (0.9, 0.3, 0.2)
    given = as_depth(drawn, depth)
    box = (0.2, 0.15, 0.8, 0.85)
    made, alone = (light(edit(given, box=box, feather=0)) for edit in (portrait, cut_out))
    wanted = light(cut_out(given, mask=subject, feather=0))
    assert np.abs(alone - wanted).max(2).mean() < 0.01, "what GrabCut finds is the ellipse"
    assert np.abs(made - light(given))[subject].max() < 0.02
    assert made[:10].std(0).mean() < 0.5 * light(given)[:10].std(0).mean()
    assert np.array_equal(portrait(given, mask=subject, box=box), portrait(given, mask=subject)), "a mask is surer"
    for wrong in ((0.1, 0.2, 0.3), (0.5, 0, 0.4, 1), (0, 0, 2, 1)):
        with pytest.raises(SettingsError):
            portrait(given, box=wrong)


def test_what_is_farther_is_blurred_more() -> None:
    rng = np.random.default_rng(2)
    drawn = rng.random((120, 160, 1), np.float32) * np.ones(3, np.float32) * 0.8
    mask = np.zeros((120, 160), np.uint8)
    mask[:, :30] = 1
    away = np.tile(np.linspace(0.2, 1, 160, dtype=np.float32), (120, 1))
    away[:, :30] = 0.2
    made = portrait(drawn, mask=mask, depth=away, radius=8.0, feather=0)
    grain = [float(made[:, start : start + 20, 0].std()) for start in (0, 40, 90, 140)]
    assert grain == sorted(grain, reverse=True)
    assert grain[0] == pytest.approx(float(drawn[:, :20, 0].std()), rel=1e-3)
    assert grain[3] < 0.5 * grain[1]
    plain = portrait(drawn, mask=mask, radius=8.0, feather=0)
    assert np.allclose(plain[:, 158:], made[:, 158:], atol=0.03), "the farthest is as blurred as without a map"
    level = np.full((120, 160), 0.5, np.float32)
    assert np.allclose(portrait(drawn, mask=mask, depth=level, radius=8.0, feather=0), drawn, atol=1e-6)
    with pytest.raises(InputError, match="make them equal"):
        portrait(drawn, mask=mask, depth=away[1:])


def test_a_subject_is_cut_out_on_an_even_ground() -> None:
    drawn = np.full((40, 40, 3), 90, np.uint8)
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 10:30] = 1
    for ground, level in ((0.0, 0), (1.0, 255)):
        made = cut_out(drawn, mask=mask, ground=ground, feather=0)
        assert (made[mask > 0] == 90).all()
        assert (made[mask == 0] == level).all()
    assert (cut_out(drawn)[0] == 255).all(), "without a mask an oval in the middle stays"
