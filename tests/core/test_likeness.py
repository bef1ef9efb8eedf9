"""Near copies: found whatever was done to them, and strangers are left alone."""

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from sightline.core import buckets, likeness
from sightline.core.buckets import SIDE, VIEWS, frequencies
from sightline.core.likeness import SMALL, confirmed, near_copies, thumbnail
from sightline.core.progress import Event


def scene(seed: int, rows: int = 96, columns: int = 128) -> np.ndarray:
    """Rectangles, discs and shades: a picture that is like no other."""
    rng = np.random.default_rng(seed)
    pixels = np.empty((rows, columns, 3), np.uint8)
    pixels[:] = cv2.resize(rng.integers(60, 190, (2, 2, 3)).astype(np.uint8), (columns, rows))
    for _ in range(12):
        y, x, colour = rng.integers(0, rows), rng.integers(0, columns), rng.integers(0, 255, 3).tolist()
        if rng.random() < 0.5:
            cv2.circle(pixels, (int(x), int(y)), int(rng.integers(4, rows // 3)), colour, -1)
        else:
            cv2.rectangle(
                pixels, (int(x), int(y)), (int(x + rng.integers(5, 50)), int(y + rng.integers(5, 40))), colour, -1
            )
    return np.clip(pixels + rng.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)


def packed(pixels: np.ndarray) -> np.ndarray:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "JPEG", quality=60)
    return np.asarray(Pillow.open(stream))


def cut(pixels: np.ndarray, seed: int) -> np.ndarray:
    """A window of 95 % of each side, anywhere."""
    rows, columns = (round(0.95 * side) for side in pixels.shape[:2])
    rng = np.random.default_rng(seed)
    y, x = rng.integers(0, pixels.shape[0] - rows + 1), rng.integers(0, pixels.shape[1] - columns + 1)
    return np.ascontiguousarray(pixels[y : y + rows, x : x + columns])


def mirror(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[:, ::-1])


COPIES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "same": lambda pixels, seed: pixels,
    "smaller": lambda pixels, seed: cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "larger": lambda pixels, seed: cv2.resize(pixels, (300, 300), interpolation=cv2.INTER_CUBIC),
    "packed": lambda pixels, seed: packed(pixels),
    "cut": cut,
    "mirrored": lambda pixels, seed: mirror(pixels),
    "lighter": lambda pixels, seed: np.clip(pixels * 1.2, 0, 255).astype(np.uint8),
    "darker": lambda pixels, seed: (pixels * 0.7).astype(np.uint8),
    "all at once": lambda pixels, seed: packed(mirror(cut(pixels, seed))),
}
COUNT = 400
SCENES = [scene(n) for n in range(COUNT)]
SMALLS = np.stack([thumbnail(one) for one in SCENES])


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_found_and_strangers_are_not(name: str) -> None:
    """At least 95 % of the copies of 150 among 400, and no pair of strangers."""
    copies = np.stack([thumbnail(COPIES[name](SCENES[n], n)) for n in range(150)])
    pairs, sure = near_copies(np.concatenate([SMALLS, copies]))
    found = set(map(tuple, pairs.tolist()))
    planted = {(n, COUNT + n) for n in range(150)}
    assert len(found & planted) >= 0.98 * len(planted)
    assert found <= planted
    assert ((sure >= likeness.AGREE) & (sure <= 1.0001)).all()


def test_order_and_company_do_not_matter() -> None:
    copies = np.stack([thumbnail(cut(SCENES[n], n)) for n in range(60)])
    together = np.concatenate([SMALLS, copies])
    order = np.random.default_rng(0).permutation(len(together))
    straight = {tuple(pair) for pair in near_copies(together)[0].tolist()}
    mixed = {tuple(sorted(order[pair].tolist())) for pair in near_copies(together[order])[0]}
    assert mixed == straight
    alone = near_copies(np.concatenate([SMALLS[:5], copies[:5]]))[0].tolist()
    assert alone == [[n, 5 + n] for n in range(5)], "ten pictures are enough"


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_any_depth_and_any_number_of_channels(dtype: str, channels: int) -> None:
    def deep(pixels: np.ndarray) -> np.ndarray:
        made = np.concatenate([pixels, pixels[..., ::-1]], 2)[..., :channels].astype(np.float32)
        return made / 255 if dtype == "float32" else (made * 16).astype(np.uint16)  # twelve bits of sixteen

    both = [deep(one) for one in SCENES[:40]] + [deep(mirror(one)) for one in SCENES[:20]]
    pairs, _ = near_copies(np.stack([thumbnail(one) for one in both]))
    assert pairs.tolist() == [[n, 40 + n] for n in range(20)]


def test_volumes_and_pixels_that_are_no_numbers() -> None:
    volume = np.stack([SCENES[n] for n in (0, 1, 2)])
    assert thumbnail(volume).tobytes() == thumbnail(SCENES[1]).tobytes()
    holes = SCENES[0].astype(np.float32)
    holes[:3] = np.nan
    holes[5, 5] = np.inf
    assert (
        np.abs(thumbnail(holes)["grey"][4:].astype(int) - thumbnail(SCENES[0].astype(np.float32))["grey"][4:]).max()
        < 60
    )
    assert thumbnail(np.zeros((9, 9, 1), bool)).dtype == SMALL


def test_pictures_that_show_nothing_are_like_nothing() -> None:
    rng = np.random.default_rng(0)
    flat = [np.full((40, 40, 3), n, np.uint8) for n in range(100)]
    noisy = [np.clip(rng.normal(128, 3, (200, 200, 3)), 0, 255).astype(np.uint8) for _ in range(30)]
    tiny = [rng.integers(0, 255, (2, 2, 3)).astype(np.uint8) for _ in range(100)]
    pairs, sure = near_copies(np.stack([thumbnail(one) for one in (*flat, *noisy, *tiny)]))
    assert len(pairs) == len(sure) == 0
    assert len(near_copies(np.zeros(0, SMALL))[0]) == 0


def test_another_colour_or_another_place_is_another_picture() -> None:
    """The same shape in red and in green; the same shape moved by a tenth, which no cut explains."""

    def thing(x: int, colour: int) -> np.ndarray:
        pixels = np.full((64, 64, 3), 40, np.uint8)
        pixels[20:44, x : x + 24, colour] = 220
        return pixels

    pairs, _ = near_copies(
        np.stack([thumbnail(one) for one in (thing(20, 0), thing(20, 1), thing(27, 0), *SCENES[:30])])
    )
    assert pairs.tolist() == []


def test_a_shift_needs_a_cut_that_explains_it() -> None:
    """A camera that moved on by a twelfth sees another picture, else every film would be one chain."""
    wide = [scene(2000 + n, 96, 140) for n in range(40)]
    pairs, _ = near_copies(np.stack([thumbnail(one[:, at : at + 128]) for at in (0, 11) for one in wide]))
    assert len(pairs) <= 4


def test_pictures_of_one_thing_are_told_apart_by_what_differs() -> None:
    """Like X-rays: all share one large shape, each has small ones of its own; only true copies are found."""
    rng = np.random.default_rng(0)
    shared = cv2.GaussianBlur(scene(1000, 64, 64)[..., :1].astype(np.float32), (0, 0), 4)
    own = [cv2.GaussianBlur(rng.normal(0, 30, (64, 64)).astype(np.float32), (0, 0), 2.5) for _ in range(300)]
    rays = [np.clip(shared + 4.0 * one, 0, 255).astype(np.uint8)[..., None] for one in own]
    copies = [np.ascontiguousarray(one[2:, 1:-1]) for one in rays[:50]]
    pairs, _ = near_copies(np.stack([thumbnail(one) for one in (*rays, *copies)]))
    assert {tuple(pair) for pair in pairs.tolist()} == {(n, 300 + n) for n in range(50)}


def test_crowds_come_as_chains() -> None:
    """Two hundred and forty frames of one scene are tied together without all their 28,680 pairs."""
    frames = [np.clip(SCENES[0].astype(int) + n % 60, 0, 255).astype(np.uint8) for n in range(240)]
    told: list[Event] = []
    pairs, _ = near_copies(np.stack([thumbnail(one) for one in frames] + list(SMALLS[1:50])), told.append)
    assert len(pairs) < 0.6 * 240 * 239 / 2
    leader = list(range(240))
    for one, other in pairs.tolist():
        low, high = sorted((leader[one], leader[other]))
        leader = [low if each == high else each for each in leader]
    assert set(leader) == {0}
    assert told[-1].facts == {"done": 289, "total": 289}


def form(seed: int) -> np.ndarray:
    """A sheet with ten lines of words: all such sheets have the same thumbnail."""
    rng = np.random.default_rng(seed)
    pixels = np.full((256, 192, 3), (90, 70, 60), np.uint8)
    pixels[16:240, 16:176] = (235, 230, 220)
    for y in range(36, 220, 18):
        x = 30
        while x < 150:
            width = int(rng.integers(4, 18))
            pixels[y : y + 8, x : x + width] = 60
            x += width + 5
    return pixels


def test_a_closer_look_tells_forms_apart_and_keeps_copies() -> None:
    sheets = [form(n) for n in range(12)]
    for n, one in enumerate(sheets):
        assert not any(confirmed(one, other) for other in sheets[:n])
    for name, change in COPIES.items():
        kept = [confirmed(one, change(one, n)) and confirmed(change(one, n), one) for n, one in enumerate(sheets)]
        assert sum(kept) >= 11, name
    deep = sheets[0].astype(np.uint16) * 200
    assert confirmed(deep, mirror(deep))
    assert confirmed(np.stack([sheets[0]] * 3), sheets[0]), "a volume is seen by its middle"
    small = [cv2.resize(one, (40, 40), interpolation=cv2.INTER_AREA) for one in sheets[:2]]
    assert confirmed(*small), "where there is no more detail, the thumbnail has said all"


def stroke(points: list[tuple[int, int]], width: int = 2) -> np.ndarray:
    """A pen on paper: next to all of it is ground."""
    pixels = np.full((105, 105, 1), 255, np.uint8)
    cv2.polylines(pixels, [np.array(points, np.int32)], False, 0, width)
    return pixels


def test_strokes_of_two_hands_are_no_copies_and_copies_of_strokes_are() -> None:
    """A line is like any other line once it is moved; what is drawn must fall on itself."""
    rng = np.random.default_rng(0)
    first = [(20, 20), (80, 25), (30, 60), (85, 85), (25, 90), (60, 10), (90, 50)]
    second = [(x + int(dx), y + int(dy)) for (x, y), (dx, dy) in zip(first, rng.integers(-3, 4, (7, 2)), strict=True)]
    assert not confirmed(stroke(first), stroke(second))
    sheet = stroke(first).repeat(3, 2)
    for change in (packed, lambda pixels: pixels[:, ::-1], lambda pixels: (pixels * 0.8).astype(np.uint8)):
        assert confirmed(sheet, np.ascontiguousarray(change(sheet)))
    assert not confirmed(stroke([(30, 20), (30, 80)]), stroke([(33, 22), (33, 82)])), "a single line shows nothing"


def test_memory_for_what_is_alike_is_some_bytes_a_picture() -> None:
    """Thumbnails of many become a few numbers each, some at a time."""
    import tracemalloc

    many = np.random.default_rng(0).integers(0, 256, (12_000, 32, 32), np.uint8)
    tracemalloc.start()
    points = frequencies(many, VIEWS[0])
    telling = likeness._telling(many[:5000])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(telling) == 5000
    assert most < 3 * points.nbytes + 20 * 2**20 < many.nbytes * 4
    whole = frequencies(many[:100], VIEWS[0])
    np.testing.assert_allclose(points[:100], whole, atol=1e-5)


def test_signs_lose_nobody_who_is_alike_and_most_strangers() -> None:
    """Pairs of the least cosine that counts nearly all pass, directions drawn by chance nearly never."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((2, 20_000, 27))
    one, away = points / np.linalg.norm(points, axis=2, keepdims=True)
    away -= (one * away).sum(1, keepdims=True) * one
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    least = buckets._MEET
    built = buckets.Buckets(rng.integers(0, 255, (64, SIDE, SIDE), np.uint8))
    mine, alike, stranger = (
        built._signed(part.astype(np.float32)) for part in (one, least * one + np.sqrt(1 - least**2) * away, away)
    )
    kept, let = (float((np.bitwise_count(mine ^ other) <= buckets._APART).mean()) for other in (alike, stranger))
    assert kept > 0.999
    assert let < 0.05
