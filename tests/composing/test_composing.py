"""Several pictures as one: what is reproduced, what is left out, and what is refused."""

import cv2
import numpy as np
import pytest

from sightline.composing.align import align
from sightline.composing.burst import burst
from sightline.composing.compose import WAYS, compose, drawn
from sightline.composing.difference import difference
from sightline.composing.focus import focus_stack
from sightline.composing.fuse import fuse
from sightline.core.chance import generator
from sightline.core.errors import InputError, SettingsError
from sightline.core.progress import Event
from sightline.core.relation import Field
from sightline.core.warp import Warp
from sightline.sources.drawn import draw
from tests.matchers.known import blotches, laid, scene, spoiled, turned

INNER = (slice(16, -16), slice(16, -16))


def decibels(made: np.ndarray, truth: np.ndarray, top: float = 255.0) -> float:
    """PSNR."""
    return float(10 * np.log10(top**2 / np.mean((made.astype(float) - truth.astype(float)) ** 2)))


def nights(count: int, noise: float, size: tuple[int, int] = (240, 320)) -> tuple[list[np.ndarray], np.ndarray]:
    """So many dark pictures from a hand that shakes, and what the first would be without noise."""
    chance, whole = generator("nights", count), scene(1, "pairs").astype(np.float32) * 0.4 + 40
    pictures = []
    for row in range(count):
        move = turned(chance.uniform(-0.5, 0.5), 1, tuple(chance.uniform(-5, 5, 2)), size) if row else np.eye(3)
        to = np.linalg.inv(move) @ np.array([[1, 0, -300], [0, 1, -200], [0, 0, 1.0]])
        clean = Warp(to, whole.shape[:2], size).pixels(whole)
        pictures.append(spoiled(clean, noise, 50 + row))
    return pictures, whole[200 : 200 + size[0], 300 : 300 + size[1]]


def test_aligned_pictures_show_the_same_at_the_same_place() -> None:
    first, second = laid(turned(5, 1.05, (12, -9)), world="pairs")
    made = align([first, second], crop=True)
    assert np.array_equal(made.pictures[0], first[made.window[0] : made.window[2], made.window[1] : made.window[3]])
    assert made.pictures[0].shape == made.pictures[1].shape
    assert made.seen.all()
    assert made.pictures[0].size > 0.75 * first.size
    report = made.residuals[0]
    assert report.after < 0.3 * report.before
    assert report.after < 0.02
    assert report.points is not None
    assert report.points < 1
    whole = align([first, second])
    assert whole.pictures[1].shape == first.shape
    assert 0.8 < whole.seen.mean() < 1


def test_alignment_keeps_depth_and_channels_of_each_picture() -> None:
    first, second = laid(turned(2, 1, (4, 5)), world="pairs", size=(200, 240))
    deep = second[..., :1].astype(np.uint16) * 257
    made = align([first, deep], by="intensity")
    assert made.pictures[1].dtype == np.uint16
    assert made.pictures[1].shape == (200, 240, 1)


def test_a_smooth_bend_aligns_too() -> None:
    whole = scene(1, "pairs")[300:620, 300:700]
    y, x = np.mgrid[:320, :400] / 90
    bend = 5 * np.stack([np.sin(y), np.cos(x)], -1).astype(np.float32)
    bent = Warp(np.eye(3), (320, 400), (320, 400), bend).pixels(whole)
    made = align([spoiled(bent, 2, 1), spoiled(whole, 2, 2)], by="dis")
    assert made.residuals[0].after < 0.4 * made.residuals[0].before


@pytest.mark.parametrize("count", [4, 9])
def test_a_burst_has_the_noise_of_so_many_pictures(count: int) -> None:
    pictures, truth = nights(count, 12)
    made = burst(pictures, deep=True)
    gain = decibels(made.pixels[INNER] / 257.0, truth[INNER]) - decibels(pictures[0][INNER], truth[INNER])
    assert gain == pytest.approx(10 * np.log10(count), abs=1.0)
    assert made.pixels.dtype == np.uint16
    assert made.noise == pytest.approx(12 / 255, rel=0.25)
    assert not made.left_out
    same = burst(pictures)
    assert same.pixels.dtype == np.uint8
    assert np.abs(same.pixels - made.pixels / 257.0).max() <= 0.51


def test_what_moves_through_a_burst_leaves_no_ghost() -> None:
    pictures, truth = nights(6, 4)
    for row, picture in enumerate(pictures):
        picture[90:130, 40 * row + 30 : 40 * row + 70] = (220, 60, 40)
    path = (slice(88, 132), slice(75, 270))  # where it stands in all but the first
    merged, blurred = burst(pictures), burst(pictures, ghosts=False)
    assert decibels(merged.pixels[path], truth[path]) > 33
    assert decibels(blurred.pixels[path], truth[path]) < 28


def test_a_picture_of_something_else_is_left_out_of_a_burst_and_named() -> None:
    pictures, _ = nights(3, 6)
    heard: list[Event] = []
    made = burst([*pictures, scene(2)[:240, :320]], tell=heard.append)
    assert made.left_out == ("picture 4",)
    assert any(event.kind == "warn" and "picture 4 is left out" in event.text for event in heard)
    with pytest.raises(InputError, match="none of the other 1 pictures"):
        burst([pictures[0], scene(2)[:240, :320]])


def test_a_focus_stack_is_sharp_where_any_picture_is() -> None:
    sharp = scene(3)[300:540, 190:510].astype(np.float32)
    across = np.linspace(0, 1, 320)[None, :, None]
    pictures = []
    for row, near in enumerate((0.15, 0.5, 0.85)):
        soft = [sharp if not size else cv2.GaussianBlur(sharp, (0, 0), size) for size in (0, 1.5, 3, 5)]
        far = np.clip(np.abs(across - near) * 6, 0, 3)
        seen = np.sum([np.maximum(0, 1 - np.abs(far - step)) * each for step, each in enumerate(soft)], 0)
        grown = turned(0, 1 + 0.01 * row, (0, 0), (240, 320))  # focusing changes the scale a little
        pictures.append(spoiled(Warp(grown, (240, 320), (240, 320)).pixels(seen.astype(np.float32)), 1, row))
    made = focus_stack(pictures)
    best = max(decibels(picture[INNER], sharp[INNER]) for picture in pictures)
    assert decibels(made.pixels[INNER], sharp[INNER]) > best + 5
    assert (np.bincount(made.chosen.ravel(), minlength=3) > 0.1 * made.chosen.size).all()


def test_exposures_are_fused_as_the_reference_does() -> None:
    whole = scene(2)[300:500, 300:560]
    pictures = [whole // 3, whole, np.minimum(whole.astype(int) * 3, 255).astype(np.uint8)]
    made = fuse(pictures, by=None)
    theirs = cv2.createMergeMertens(1, 1, 1).process([picture[..., ::-1] for picture in pictures])[..., ::-1] * 255
    assert np.abs(made.pixels - np.clip(theirs, 0, 255)).mean() < 1
    assert sum(made.shares) == pytest.approx(1, abs=1e-3)
    assert fuse([whole, whole], by=None).pixels == pytest.approx(whole.astype(float), abs=1)


def test_exposures_from_a_hand_that_shakes_are_aligned_first() -> None:
    whole = scene(2)[:, :].astype(float) / 255
    made = []
    for row, gain in enumerate((0.5, 1.5, 5)):
        light = 255 * np.clip(whole * gain, 0, 1) ** (1 / 1.6)
        made.append(spoiled(light, 1, row)[300 + 2 * row : 540 + 2 * row, 190 + 3 * row : 510 + 3 * row])
    still = [
        spoiled(255 * np.clip(whole * g, 0, 1) ** (1 / 1.6), 1, r)[300:540, 190:510]
        for r, g in enumerate((0.5, 1.5, 5))
    ]
    wanted = fuse(still, by=None).pixels
    assert decibels(fuse(made).pixels[INNER], wanted[INNER]) > 34
    assert decibels(fuse(made, by=None).pixels[INNER], wanted[INNER]) < 32


def test_changes_are_found_and_only_those() -> None:
    shares, false = [], 0
    for index in range(9):
        world = draw("pairs", 7, 384, index=index)
        assert world.after is not None
        assert world.regions is not None
        shaken = np.linalg.inv(turned(1, 1.0, (4.3, -3.1), (384, 384)))
        after = Warp(shaken, (384, 384), (384, 384)).pixels(world.after)
        made = difference([world.image, after])
        truth, told = world.regions.classes > 0, made.heatmap.scores > 0.5
        if truth.any():
            shares.append((truth & told).sum() / (truth | told).sum())
            assert len(made.objects) >= 1
        else:
            false += len(made.objects)
    assert np.mean(shares) > 0.8
    assert false == 0


def test_brighter_light_alone_is_no_change() -> None:
    first, second = laid(turned(1, 1, (3, 2)), world="pairs")
    assert len(difference([first, np.clip(second * 0.8 + 20, 0, 255).astype(np.uint8)]).objects) == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
def test_every_way_takes_every_depth_and_writes_to_nothing_it_was_given(way: str, depth: str) -> None:
    whole = blotches(160, 240)
    first, second = whole[:, :200], whole[:, 40:]
    gain = {"uint8": 1, "uint16": 257, "float32": 1 / 255}[depth]
    pair = [(each * np.float64(gain)).astype(depth) for each in (first, second)]
    kept = [picture.copy() for picture in pair]
    made = compose(way, pair)
    assert all(np.array_equal(one, two) for one, two in zip(pair, kept, strict=True))
    if way not in ("flow", "difference"):
        assert {str(picture.dtype) for picture in made.pictures} == {depth}
    assert made.line
    assert made.shown.dtype == np.uint8
    assert made.shown.shape[2] == 3
    again = compose(way, pair)
    assert all(np.array_equal(one, two) for one, two in zip(made.pictures, again.pictures, strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_what_cannot_be_composed_is_one_typed_error_that_says_what_to_do(way: str) -> None:
    whole = blotches(160, 209)
    first, second = whole[:, :200], whole[:, 9:]
    with pytest.raises(InputError, match="takes 2 pictures or more, not 1") as caught:
        compose(way, [first])
    assert caught.value.code == "missing"
    with pytest.raises(InputError):
        compose(way, [first, np.zeros((0, 4, 3), np.uint8)])
    with pytest.raises(InputError):
        compose(way, [first, first[:1, :1]])
    with pytest.raises(SettingsError, match="bogus"):
        compose(way, [first, second], bogus=1)
    if way not in ("align", "flow"):
        with pytest.raises(InputError, match="one kind") as caught:
            compose(way, [first, second[..., :1]])
        assert caught.value.code == "mismatch"
    if way != "flow":
        with pytest.raises(InputError) as caught:
            compose(way, [first, scene(2)[300:460, 300:500]])
        assert caught.value.code == "unrelated"
        assert "picture 2" in caught.value.message or "picture 1" in caught.value.message
    if way in ("burst", "focus", "fuse", "difference"):
        with pytest.raises(InputError, match="Align them first"):
            compose(way, [first, second[:100]], by="none")


def test_words_that_are_none_are_refused() -> None:
    first, second = laid(np.eye(3), size=(64, 64))
    with pytest.raises(SettingsError, match="Did you mean 'panorama'"):
        compose("panorma", [first, second])
    with pytest.raises(SettingsError, match="must find how pictures lie"):
        compose("align", [first, second], by="none")
    with pytest.raises(SettingsError, match="pairs of places"):
        compose("align", [scene(1)[:200, :200], scene(1)[:200, :200]], by="points")
    with pytest.raises(SettingsError, match="give true or false"):
        compose("burst", [first, second], ghosts="maybe")


def test_steps_are_drawn_as_colours() -> None:
    steps = np.zeros((10, 20, 2), np.float32)
    steps[:, :10] = (4, 0)
    shown = drawn(Field(steps, (10, 20), steps[..., 0] > -1), 4)
    assert shown[0, 0].tolist() == [255, 0, 0]
    assert shown[0, 15].tolist() == [255, 255, 255]
