"""Enhancing: what is decided, that it helps, that strength and depth and transparency are kept, and what is said."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sightline.core.annotations import Heatmap, Picture
from sightline.core.annotations import check as sound
from sightline.core.encoding import encode_clear
from sightline.core.errors import InputError, SettingsError, SightlineError
from sightline.core.image import encode, read_image
from sightline.enhancing.enhance import enhance, enhance_all
from sightline.enhancing.steps import NAMES, find
from sightline.sources.drawn import dataset
from tests.enhancing.toys import evaluation, learnt

SIGMA = 28.0


def _clean(size: int = 160) -> np.ndarray:
    truth = dataset("pairs", 1, size=size, seed=7)[0].truth
    assert isinstance(truth, Picture)
    return truth.pixels


def _noisy(clean: np.ndarray, sigma: float = SIGMA) -> np.ndarray:
    drawn = np.random.default_rng(0).normal(0, sigma, clean.shape)
    return np.clip(clean + drawn, 0, 255).round().astype(np.uint8)


def _psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def test_a_folder_of_clean_pictures_taught_it_and_is_measured_the_same_twice(base: Path) -> None:
    from sightline.evaluating.evaluate import evaluate

    found = evaluation(base)
    figure = found.figures[0]
    assert found.baseline == "the picture as it came"
    assert figure["value"] > figure["baseline"] + 3
    assert evaluate(learnt(base), quick=True).figures[0]["value"] == figure["value"], "validation has one chance"


def test_noise_is_seen_and_removed_and_told(weights: Path) -> None:
    clean = _clean()
    made = enhance(_noisy(clean), weights=weights)
    assert [step.name for step in made.done] == ["denoise"]
    assert "noise" in made.line
    assert _psnr(made.pixels, clean) > _psnr(made.before, clean) + 3
    assert {row.name for row in made.left} == {"brighten", "deblock", "enlarge2"}
    plain = made.to_json()
    assert plain["done"][0]["name"] == "denoise"
    assert plain["size"] == [160, 160]


def test_a_good_picture_is_left_alone(weights: Path) -> None:
    smooth = cv2.GaussianBlur(_clean(560), (0, 0), 1.2)
    made = enhance(smooth, weights=weights)
    assert made.done == ()
    assert made.pixels is made.before
    assert made.map().scores.max() == 0
    assert made.line == "nothing: no step would help"


def test_blocks_are_seen(weights: Path) -> None:
    _, data = cv2.imencode(".jpg", _clean(400), [cv2.IMWRITE_JPEG_QUALITY, 10])
    assert "deblock" in [step.name for step in enhance(data.tobytes(), weights=weights).done]


def test_darkness_is_seen_and_lifted(weights: Path) -> None:
    clean = _clean(200)
    dark = (clean * 0.12).astype(np.uint8)
    made = enhance(dark, weights=weights)
    assert made.done[-1].name == "brighten"
    assert find("brighten")(clean).tobytes() == clean.tobytes() or clean.mean() < 110
    assert made.pixels.mean() > 2 * dark.mean()
    hue = [cv2.cvtColor(each, cv2.COLOR_RGB2HSV)[..., 0].astype(int) for each in (clean, find("brighten")(dark))]
    apart = np.abs(hue[0] - hue[1])
    assert np.median(np.minimum(apart, 180 - apart)) <= 4, "colours stay"


def test_more_light_alone_invents_nothing() -> None:
    dark = (_clean(200) * 0.15).astype(np.uint8)
    made = enhance(dark, what="brighten")
    assert (made.pixels != dark).mean() > 0.9
    assert made.map().scores.max() == 0


@pytest.mark.parametrize("name", ["denoise", "mend", "brighten"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_depth_channels_and_input_are_kept_and_strength_nought_is_the_picture(
    weights: Path, name: str, dtype: str, channels: int
) -> None:
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    pixels = (np.random.default_rng(1).random((24, 37, channels)) * 0.4 * top).astype(dtype)
    pixels[..., -1] = top if channels in (2, 4) else pixels[..., -1]
    kept = pixels.copy()
    nothing, half, whole = (enhance(pixels, what=name, strength=s, weights=weights).pixels for s in (0, 0.5, 1))
    np.testing.assert_array_equal(pixels, kept)
    np.testing.assert_array_equal(nothing, pixels)
    for made in (half, whole):
        assert made.dtype == dtype
        assert made.shape == pixels.shape
        if channels in (2, 4):
            assert (made[..., -1] == top).all()
    if name != "mend":
        assert (whole != pixels).any()
        between = (pixels.astype(float) + whole) / 2
        assert np.abs(half - between).max() <= (1e-6 if dtype == "float32" else 1)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)])
def test_tiny_pictures_go_through_everything(weights: Path, size: tuple[int, int]) -> None:
    pixels = np.full((*size, 3), 9, np.uint8)
    made = enhance(pixels, what="deblock,denoise,mend,brighten,old_photo", weights=weights)
    assert made.pixels.shape == pixels.shape
    sound(made.map())


def test_scratches_and_holes_are_filled_and_marked_as_invented() -> None:
    clean = cv2.GaussianBlur(_clean(200), (0, 0), 1.5)
    old = clean.copy()
    cv2.line(old, (40, 5), (60, 190), (250, 250, 250), 2)
    made = enhance(old, what="mend")
    line = np.zeros(old.shape[:2], np.uint8)
    cv2.line(line, (40, 5), (60, 190), 255, 2)
    assert np.abs(made.pixels[line > 0].astype(int) - clean[line > 0]).mean() < 12
    scores = made.map().scores
    assert (scores[line > 0] == 1).mean() > 0.95
    assert (scores == 1).mean() < 0.1
    holed = np.dstack([clean, np.full(clean.shape[:2], 255, np.uint8)])
    holed[80:95, 100:130] = 0
    filled = enhance(holed, what="mend")
    assert (filled.pixels[..., 3] == 255).all()
    assert (filled.map().scores[82:93, 102:128] == 1).all()
    assert np.abs(filled.pixels[80:95, 100:130, :3].astype(int) - clean[80:95, 100:130]).mean() < 30
    same = np.ones(clean.shape[:2], bool)
    same[78:97, 98:132] = False
    assert (filled.pixels[same][:, :3] == clean[same]).mean() > 0.97


def test_the_map_follows_the_strength_and_is_a_sound_record(weights: Path) -> None:
    noisy = _noisy(_clean())
    scores = []
    for strength in (0.0, 0.3, 1.0):
        map_ = enhance(noisy, what="denoise", strength=strength, weights=weights).map()
        sound(map_)
        assert isinstance(map_, Heatmap)
        assert map_.scores.shape == noisy.shape[:2]
        scores.append(map_.score)
    assert scores[0] == 0
    assert scores[0] < scores[1] < scores[2] < 1


def test_steps_by_name_are_functions_as_filters_are() -> None:
    assert set(NAMES) == {"deblock", "denoise", "mend", "brighten", "enlarge2", "enlarge3", "enlarge4", "old_photo"}
    flat = np.full((20, 20), 30, np.uint8)
    assert find("brighten")(flat).shape == (20, 20)
    assert find("brighten")(flat, strength=0.0).tobytes() == flat.tobytes()
    grown = find("enlarge2")(flat, strength=0.0)
    assert grown.shape == (40, 40)
    assert (grown == 30).all()
    assert find("mend").__doc__


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"what": "denoize"}, "Did you mean 'denoise'"),
        ({"strength": 1.5}, "from 0"),
        ({"strength": float("nan")}, "from 0"),
        ({"scale": 5}, "must be 1, 2, 3 or 4"),
        ({"what": "enlarge2,enlarge3"}, "one enlargement at a time"),
        ({"weights": "nowhere"}, "no folder of weights"),
    ],
)
def test_what_cannot_be_is_one_line(settings: dict[str, object], told: str) -> None:
    with pytest.raises(SightlineError, match=told) as caught:
        enhance(np.zeros((8, 8, 3), np.uint8), **settings)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_missing_weights_name_what_there_is(weights: Path) -> None:
    with pytest.raises(SightlineError, match=r"enlarge3_gray.*denoise_gray"):
        enhance(np.zeros((8, 8, 3), np.uint8), what="enlarge3", weights=weights)


def test_numbers_that_are_none_are_refused(weights: Path) -> None:
    pixels = np.full((20, 20, 1), np.nan, np.float32)
    with pytest.raises(InputError, match="no numbers"):
        enhance(pixels, what="denoise", weights=weights)


def test_a_folder_goes_on_past_what_cannot_be_read(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode(_noisy(_clean(64))))
    (tmp_path / "b.png").write_bytes(b"\x89PNG not")
    (tmp_path / "c.png").write_bytes(encode(_clean(64)))
    found = [made for _, made in enhance_all(tmp_path, what="denoise", weights=weights)]
    assert [isinstance(made, InputError) for made in found] == [False, True, False]
    with pytest.raises(SettingsError):
        list(enhance_all(tmp_path, strength=7))


def _cut_out(size: int = 96) -> np.ndarray:
    """A noisy picture of which a disc is seen, soft at its rim; what is hidden is of a colour that is nowhere seen."""
    noisy = _noisy(_clean(size), 20.0)
    away = np.hypot(*(np.mgrid[:size, :size] - size / 2))
    alpha = np.clip((size * 0.42 - away) * 64, 0, 255).astype(np.uint8)
    noisy[alpha == 0] = (255, 0, 255)
    return np.concatenate([noisy, alpha[..., None]], 2)


def test_a_file_keeps_its_transparency(tmp_path: Path, weights: Path) -> None:
    drawn = _cut_out()
    (tmp_path / "cut.png").write_bytes(encode_clear(drawn))
    made = enhance(tmp_path / "cut.png", what="denoise", weights=weights)
    assert made.pixels.shape == made.before.shape == (96, 96, 4)
    assert np.array_equal(made.before, drawn)
    assert np.array_equal(made.pixels[..., 3], drawn[..., 3])
    seen = drawn[..., 3] > 0
    clean = _clean(96)
    assert _psnr(made.pixels[seen][:, :3], clean[seen]) > _psnr(drawn[seen][:, :3], clean[seen]) + 2
    assert enhance(tmp_path / "cut.png", weights=weights).measured["brightness"] == pytest.approx(
        enhance(drawn, weights=weights).measured["brightness"]
    )


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_what_is_hidden_does_not_run_into_what_is_seen(strength: float) -> None:
    drawn = _cut_out(40)
    twice = enhance(drawn, what="enlarge2", strength=strength).pixels
    assert twice.shape == (80, 80, 4)
    assert (
        np.abs(cv2.resize(twice[..., 3], (40, 40), interpolation=cv2.INTER_AREA) - drawn[..., 3].astype(int)).max() < 9
    )
    rim = (twice[..., 3] > 0) & (twice[..., 3] < 255)
    assert rim.sum() > 50
    plain = enhance(drawn[..., :3].copy(), what="enlarge2", strength=strength).pixels
    red, green, blue = (plain[rim].astype(float) - twice[rim][:, :3]).mean(0)
    assert min(red, blue) > green + 20, "without its transparency there is a rim of what was hidden"


def test_an_opaque_file_has_none(tmp_path: Path, weights: Path) -> None:
    drawn = np.concatenate([_clean(64), np.full((64, 64, 1), 255, np.uint8)], 2)
    (tmp_path / "whole.png").write_bytes(encode_clear(drawn))
    assert enhance(tmp_path / "whole.png", what="brighten", weights=weights).pixels.shape == (64, 64, 3)
    assert read_image(tmp_path / "whole.png", alpha=True).shape == (64, 64, 4)


def test_what_is_hidden_is_not_measured() -> None:
    from sightline.enhancing.judge import measured

    light = np.full((300, 300, 4), 200, np.uint8)
    light[..., 3] = 255
    light[:, :200] = 0
    assert measured(light)["brightness"] == pytest.approx(200 / 255, abs=0.02)
    assert measured(np.ascontiguousarray(light[..., :3]))["brightness"] < 0.1
