"""Clean pictures become pairs: what damages them, how strongly, and that what is measured is always the same."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from sightline.core.annotations import Picture
from sightline.core.bicubic import larger, smaller
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError, SightlineError
from sightline.core.image import ArrayImage, FileImage, encode
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Facts, posed
from sightline.sources.drawn import dataset
from sightline.tasks._damages import DAMAGES
from sightline.tasks.restore import TASK, Settings, loss_parts


def _clean(rows: int = 50, columns: int = 41, dtype: str = "uint8", channels: int = 3) -> np.ndarray:
    drawn = dataset("pairs", 1, size=64)[0].truth
    assert isinstance(drawn, Picture)
    pixels = drawn.pixels[:rows, :columns, :channels]
    return {"uint8": pixels, "uint16": pixels.astype(np.uint16) * 257, "float32": pixels / np.float32(255)}[dtype]


def _facts(**options: object) -> Facts:
    settings = dataclasses.asdict(Settings(**{"tile": 32, "overlap": 8, **options}))  # type: ignore[arg-type]
    masked = options.get("damage") in DAMAGES and DAMAGES[str(options["damage"])].masked
    spec = InputSpec((32, 32), 3 + bool(masked), "uint8", "tile", 8)
    return Facts({"image": spec}, (), settings, {"masked": bool(masked)})


def _sample(name: str = "a", **how: object) -> Sample:
    return Sample(name, (ArrayImage(_clean(**how), name),))  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("scale", [1, 2])
def test_what_is_learnt_from_is_new_each_time_and_what_is_measured_is_not(damage: str, scale: int) -> None:
    facts = _facts(damage=damage, scale=scale)
    learnt = [TASK.pose(_sample(), facts, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    first, again, other = (each.pixels() for each in learnt)
    np.testing.assert_array_equal(first, again)
    fixed = damage == "gray"
    assert fixed or first.shape != other.shape or (first != other).any()
    held, twice, elsewhere = (TASK.pose(_sample(name), facts) for name in ("a", "a", "b"))
    np.testing.assert_array_equal(held.pixels(), twice.pixels())
    assert held.image.fingerprint() == twice.image.fingerprint()
    assert fixed or (held.pixels() != elsewhere.pixels()).any(), "each sample has a chance of its own"
    for each in (learnt[0], held):
        assert isinstance(each.truth, Picture)
        rows, columns = each.pixels().shape[:2]
        assert each.truth.pixels.shape == (rows * scale, columns * scale, 3)
        assert (each.truth.pixels == _clean()[: rows * scale, : columns * scale]).all()
    assert set(learnt[0].attributes) or fixed, "how strong it is, is told"
    _, frames = TASK.inputs([learnt[0]], facts)
    assert TASK.targets([learnt[0]], frames, facts)["clean"].shape == (len(frames), 32 * scale, 32 * scale, 3)


@pytest.mark.parametrize(("damage", "setting"), [("noise", "sigma"), ("jpeg", "quality"), ("sensor", "photons")])
def test_strengths_stay_in_what_was_asked(damage: str, setting: str) -> None:
    facts = _facts(damage=damage, least=20.0, most=25.0)
    drawn = [TASK.pose(_sample(), facts, np.random.default_rng(seed)).attributes[setting] for seed in range(20)]
    assert min(drawn) >= 20
    assert max(drawn) <= 25
    assert len(set(drawn)) > 5


def test_noise_is_as_strong_as_told() -> None:
    facts = _facts(damage="noise", least=25.0, most=25.0)
    grey = Sample("a", (ArrayImage(np.full((200, 200, 3), 128, np.uint8)),))
    noise = TASK.pose(grey, facts, np.random.default_rng(0)).pixels().astype(float) - 128
    assert abs(noise.std() - 25) < 0.5


def test_a_smaller_picture_is_the_published_bicubic_one() -> None:
    facts = _facts(damage="blind", scale=2)
    facts = dataclasses.replace(facts, options={**facts.options, "damage": "gray"})
    made = TASK.pose(_sample(), facts).pixels()
    gray = _clean()[:50, :40] @ np.array([0.299, 0.587, 0.114])
    assert np.abs(made[..., 0].astype(float) - smaller(np.rint(gray).astype(np.uint8)[..., None], 2)[..., 0]).max() <= 2


def test_holes_are_told_by_the_last_channel_and_nothing_else_is_changed() -> None:
    sample = TASK.pose(_sample(), _facts(damage="holes"), np.random.default_rng(3))
    pixels, known = sample.pixels()[..., :3], sample.pixels()[..., 3] > 0
    assert set(np.unique(sample.pixels()[..., 3])) == {0, 255}
    assert (pixels[known] == _clean()[known]).all()
    assert (pixels[~known] == 0).all()
    assert 0.01 < (~known).mean() < 0.5


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_damage_keeps_the_depth(dtype: str) -> None:
    for damage in DAMAGES:
        made = TASK.pose(_sample(dtype=dtype), _facts(damage=damage), np.random.default_rng(0))
        assert made.pixels().dtype == dtype, damage


def test_given_pairs_are_left_alone_and_measured_as_they_are() -> None:
    pair = dataset("pairs", 1, size=64)[0]
    for damage in ("given", "noise"):
        assert TASK.pose(pair, _facts(damage=damage)) is pair
    assert TASK.pose(pair, _facts(), np.random.default_rng(0)) is pair
    redrawn = TASK.pose(pair, _facts(damage="noise"), np.random.default_rng(0))
    assert redrawn.truth.pixels.tobytes() == pair.truth.pixels.tobytes()  # type: ignore[union-attr]
    assert (redrawn.pixels() != pair.pixels()).any()


def test_a_pair_of_two_sizes_is_cut_to_one_window() -> None:
    truth = np.arange(80 * 96 * 3, dtype=np.uint16).reshape(80, 96, 3)
    pair = Sample("p", (ArrayImage(truth[::2, ::2].copy()),), Picture(truth))
    facts = _facts(scale=2)
    seen = set()
    for seed in range(6):
        cut = TASK.pose(pair, facts, np.random.default_rng(seed))
        assert cut.pixels().shape == (32, 32, 3)
        large = cut.truth.pixels  # type: ignore[union-attr]
        assert large.shape == (64, 64, 3)
        flipped = (large[::2, ::2] != cut.pixels()).any()
        np.testing.assert_array_equal(large[::2, 1::2] if flipped else large[::2, ::2], cut.pixels())
        seen.add((int(large[0, 0, 0]), bool(flipped)))
    assert len(seen) > 3
    crooked = Sample("c", pair.images, Picture(truth[:-1]))
    with pytest.raises(InputError, match="2 times the size"):
        TASK.pose(crooked, facts, np.random.default_rng(0))


def test_a_folder_of_pictures_is_read_when_it_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode(_clean()))
    (tmp_path / "b.png").write_bytes(b"\x89PNG broken")
    data = Dataset([Sample(n, (FileImage(tmp_path / n),), split="val") for n in ("a.png", "b.png")], name="photos")
    assert TASK.fits(data).strength == 1, "never the natural reading of pictures without labels"
    held = posed(TASK, data, _facts(damage="noise"))
    assert held.kind is Picture
    assert held.column("split") == ["val", "val"]
    good, bad = held[0], held[1]  # nothing is read yet
    assert good.pixels().shape == (50, 41, 3)
    with pytest.raises(InputError):
        bad.pixels()
    with pytest.raises(SettingsError, match=r"task\.damage=noise"):
        TASK.prepare(data, Settings(), "unet")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"damage": "nois"}, "Did you mean"),
        ({"damage": "noise", "scale": 7}, "must be 1, 2, 3 or 4"),
        ({"damage": "noise", "tile": 4}, "must be 8 or more"),
        ({"damage": "noise", "loss": "two charbonnier"}, "write losses and weights such"),
        ({"damage": "noise", "overlap": 64}, "larger than task.overlap"),
    ],
)
def test_settings_that_cannot_be_are_one_line(options: dict[str, object], told: str) -> None:
    data = Dataset([_sample()], name="photos")
    with pytest.raises(SettingsError, match=told):
        TASK.prepare(data, Settings(**options), "unet")  # type: ignore[arg-type]


def test_losses_add_up_as_written() -> None:
    assert loss_parts("charbonnier + 0.1 mean_square") == {"charbonnier": 1.0, "mean_square": 0.1}
    for wrong in ("", "0.1", "-1 charbonnier", "a b charbonnier", "charbonnier +"):
        with pytest.raises(SightlineError):
            loss_parts(wrong)


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("size", [(1, 1), (33, 70)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_sixteen_bits_in_sixteen_bits_out_at_any_size(scale: int, size: tuple[int, int], dtype: str) -> None:
    facts = _facts(scale=scale, deep=True, window=48)
    facts = dataclasses.replace(facts, inputs={"image": InputSpec((32, 32), 3, "float32", "tile", 8)})
    pixels = np.full((*size, 3), 200, dtype)
    seen = []

    def run(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        seen.append(arrays["image"].shape)
        return {"picture": np.stack([larger(tile, scale) for tile in arrays["image"]])}

    (answer,) = TASK.predict(run, [Sample("a", (ArrayImage(pixels),))], facts, lambda _: np.random.default_rng(0))
    assert isinstance(answer, Picture)
    assert answer.pixels.dtype == dtype
    assert answer.pixels.shape == (size[0] * scale, size[1] * scale, 3)
    assert (answer.pixels == 200).all()
    assert max(shape[1] for shape in seen) <= 48
