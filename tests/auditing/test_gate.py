"""The gate: what is good passes, what can be mended is mended, what cannot is turned away with reasons."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sightline.auditing.gate import Gate, Limits
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import ArrayImage, encode
from sightline.core.measures import measure
from sightline.core.sample import Sample
from tests.core.test_measures import scene

Pixels = np.ndarray


def noisy(sigma: float) -> Pixels:
    return np.clip(scene() * 0.7 + 40 + np.random.default_rng(0).normal(0, sigma, scene().shape), 0, 255).astype(
        np.uint8
    )


def test_a_good_picture_passes_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(encode(scene()))
    for form in (
        scene(),
        encode(scene()),
        tmp_path / "1.png",
        ArrayImage(scene()),
        Sample("1", (ArrayImage(scene()),)),
    ):
        verdict = Gate().decide(form)
        assert (verdict.action, verdict.reasons, verdict.line) == ("accept", (), "accept")
        assert verdict.measures["rows"] == 240


@pytest.mark.parametrize(
    ("pixels", "limit"),
    [
        (cv2.GaussianBlur(scene(), (0, 0), 5), "most_blur"),
        (scene()[:20], "least_side"),
        (scene() // 60, "most_shadows"),
        (np.maximum(scene(), 250), "most_highlights"),
        (np.full((90, 90, 3), 128, np.uint8), "least_entropy"),
        (noisy(60), "most_noise"),
        (cv2.imdecode(cv2.imencode(".jpg", cv2.GaussianBlur(scene(), (0, 0), 1), [1, 3])[1], 1), "most_blockiness"),
    ],
)
def test_what_is_lost_is_rejected(pixels: Pixels, limit: str) -> None:
    verdict = Gate().decide(pixels)
    assert verdict.action == "reject"
    assert limit in {reason.limit for reason in verdict.reasons}
    assert verdict.pixels is None
    assert verdict.line.startswith("reject: ")
    assert verdict.to_json()["reasons"][0]["text"] in verdict.line


@pytest.mark.parametrize(
    ("pixels", "limit", "name"),
    [
        ((scene() * 0.12 + 12).astype(np.uint8), "least_brightness", "brightness"),
        ((235 + scene() * 0.04).astype(np.uint8), "most_brightness", "brightness"),
        ((scene() * 0.1 + 120).astype(np.uint8), "least_contrast", "contrast"),
        (noisy(25), "most_noise", "noise"),
    ],
)
def test_what_can_be_mended_is(pixels: Pixels, limit: str, name: str) -> None:
    verdict = Gate().decide(pixels)
    assert verdict.action == "repair", verdict.line
    assert limit in {reason.limit for reason in verdict.reasons}
    mended = verdict.pixels
    assert mended is not None
    assert (mended.dtype, mended.shape) == (pixels.dtype, pixels.shape)
    bound = getattr(Limits(), limit)
    value = measure(mended)[name]
    assert value >= bound if limit.startswith("least") else value <= bound
    assert Gate().decide(mended).action == "accept"
    assert Gate(Limits(repair=False)).decide(pixels).action == "reject"


def test_a_repair_that_is_not_enough_is_none() -> None:
    flat = (scene() * 0.1 + 120).astype(np.uint8)
    verdict = Gate(Limits(least_contrast=0.45)).decide(flat)
    assert (verdict.action, verdict.pixels) == ("reject", None)
    assert [reason.limit for reason in verdict.reasons] == ["least_contrast"]


def test_denoising_comes_closer_to_the_truth() -> None:
    truth = scene() * 0.7 + 40
    mended = Gate().decide(noisy(25)).pixels
    assert mended is not None
    assert np.abs(mended - truth).mean() < 0.6 * np.abs(noisy(25) - truth).mean()


def test_a_stream_and_what_cannot_be_read() -> None:
    verdicts = list(Gate().watch([scene(), b"text", scene()[:10]]))
    assert [one.action for one in verdicts] == ["accept", "reject", "reject"]
    assert verdicts[1].line.startswith("reject: unknown_format")
    deep = (scene().astype(np.uint16) * 4)[..., :1]
    assert Gate().decide(deep).action == "accept", "light of deep pictures cannot be told, and is not guessed"


def test_limits_are_learnt_from_good_pictures(tmp_path: Path) -> None:
    good = Dataset([Sample(str(n), (ArrayImage(scene(n)),)) for n in range(20)])
    gate = Gate.learn(good)
    assert [gate.decide(one).action for one in good] == ["accept"] * 20
    soft = cv2.GaussianBlur(scene(50), (0, 0), 0.7)
    assert Gate().decide(soft).action == "accept"
    assert gate.decide(soft).action == "reject", "softer than anything it has seen"
    assert gate.limits.least_side == 240
    assert Limits.load(gate.limits.save(tmp_path / "gate.toml")) == gate.limits
    with pytest.raises(InputError, match="8 good pictures or more, not from 3"):
        Gate.learn(good[:3])


def test_settings_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for text, says in (
        ("most_blurr = 1", "Did you mean 'most_blur'"),
        ('most_blur = "x"', "gate.most_blur"),
        ("least_brightness = 0.95", "nothing would be accepted"),
    ):
        (tmp_path / "gate.toml").write_text(text)
        with pytest.raises(SettingsError, match=says):
            Limits.load(tmp_path / "gate.toml")
