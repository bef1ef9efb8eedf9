"""Wrong labels found in pictures, of the whole and of things in boxes."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.auditing import suspects as suspects_module
from sightline.auditing.patches import draw_bank
from sightline.auditing.suspects import finding, suspects
from sightline.core.annotations import Labels, Objects, Value
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage, BytesImage
from sightline.core.sample import Sample


def striped(seed: int, upright: bool, size: int = 40) -> np.ndarray:
    """Stripes in chance colours, upright or lying."""
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(size) * rng.uniform(0.5, 0.9) + rng.uniform(0, 6))
    waves = np.broadcast_to(wave[None] if upright else wave[:, None], (size, size))
    colour = rng.uniform(30, 90, 3)
    pixels = 128 + waves[..., None] * colour + rng.normal(0, 12, (size, size, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def data(count: int = 300, wrong: tuple[int, ...] = (3, 50, 91)) -> Dataset:
    return Dataset(
        [
            Sample(str(n), (ArrayImage(striped(n, n % 2 == 0)),), Labels((("up", "flat")[(n + (n in wrong)) % 2],)))
            for n in range(count)
        ]
    )


def test_the_wrong_ones_come_first() -> None:
    found = suspects(data())
    assert {one.id for one in found.found[:3]} == {"3", "50", "91"}
    assert found.judged == 300
    assert found.accuracy > 0.9
    first = found.found[0]
    assert (first.row, {first.given, first.better}) == (-1, {"up", "flat"})
    assert first.to_json()["id"] == first.id
    (told,) = finding(found)
    assert told.severity == "warn"
    assert set(told.ids[:3]) == {"3", "50", "91"}
    assert "looks like" in told.details[0]
    assert finding(suspects(data(wrong=()))) == []


def test_things_in_boxes() -> None:
    samples = []
    for n in range(60):
        canvas = np.full((60, 110, 3), 128, np.uint8)
        canvas[10:50, 5:45], canvas[10:50, 60:100] = striped(n, True), striped(n + 1000, False)
        classes = np.array([0, 1] if n != 7 else [0, 0])
        boxes = np.array([[5, 10, 45, 50], [60, 10, 100, 50]], np.float32)
        samples.append(Sample(str(n), (ArrayImage(canvas),), Objects(boxes, classes, ("up", "flat"))))
    found = suspects(Dataset(samples))
    assert (found.found[0].id, found.found[0].row, found.found[0].better) == ("7", 1, "flat")
    assert found.judged == 120


def test_what_cannot_be_judged_is_left_out() -> None:
    assert suspects(data(20)).judged == 0, "too few"
    many = data(60)
    samples = [replace(one, truth=Labels(("up", "flat"))) if int(one.id) < 10 else one for one in many]
    samples[11] = replace(samples[11], images=(BytesImage(b""),))
    samples[12] = replace(samples[12], truth=Labels(("rare",)))
    samples[13] = replace(samples[13], images=())
    assert suspects(Dataset(samples)).judged == 47
    values = [replace(one, truth=Value(("a",), np.array([1.0]))) for one in many]
    assert suspects(Dataset(values)).found == ()
    rng = np.random.default_rng(0)
    noise = [replace(one, images=(ArrayImage(rng.integers(0, 255, (9, 9, 3)).astype(np.uint8)),)) for one in many]
    blind = suspects(Dataset(noise))
    assert not blind.able
    assert finding(blind) == []


def test_many_are_judged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects_module, "AT_ONCE", 150)
    found = suspects(data())
    assert found.judged == 300
    assert {"3", "50", "91"} <= {one.id for one in found.found[:5]}


def test_a_mirror_image_has_the_same_features() -> None:
    small = np.stack([striped(n, n % 2 == 0, 32) for n in range(20)])
    bank = draw_bank(small, 16)
    patches = bank.features(small)[:, : 2 * 9 * 16]
    mirrored = bank.features(small[:, :, ::-1])[:, : 2 * 9 * 16]
    assert np.abs(patches - mirrored).max() < 1e-3
    assert patches.std() > 0.01
    assert bank.features(small).shape == (20, bank.width)
    again = draw_bank(small, 16)
    assert (again.weights == bank.weights).all(), "chance is named"
