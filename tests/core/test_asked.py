"""One line for each setting that cannot be meant, the same whoever asks."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sightline.core import asked
from sightline.core.errors import SettingsError

LONG = "x" * 200
WAYS = ("box", "disc")
REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: asked.number("f", "sigma", 0, 0, 9, above=True), "f: sigma = 0: must be a number above 0 and at most 9."),
    (lambda: asked.number("f", "sigma", "2", 0, 9), "f: sigma = '2': must be a number from 0 to 9."),
    (lambda: asked.number("f", "sigma", True, 0, 9), "f: sigma = True: must be a number from 0 to 9."),
    (lambda: asked.number("f", "sigma", float("nan"), 0, 9), "f: sigma = nan: must be a number from 0 to 9."),
    (lambda: asked.within("f", 0, 9, sigma=4, edge=9.5), "f: edge = 9.5: must be a number from 0 to 9."),
    (lambda: asked.whole("f", "size", 2.5, 1, 5000), "f: size = 2.5: must be a whole number from 1 to 5,000."),
    (lambda: asked.whole("f", "size", 4, 1, 9, odd=True), "f: size = 4: must be an odd number from 1 to 9."),
    (lambda: asked.whole("f", "size", float("inf"), 1, 9), "f: size = inf: must be a whole number from 1 to 9."),
    (lambda: asked.wholes("f", 1, 5000, size=3.0), "f: size = 3.0: must be a whole number from 1 to 5,000."),
    (lambda: asked.wholes("f", 1, 9, size=True), "f: size = True: must be a whole number from 1 to 9."),
    (lambda: asked.wholes("f", 1, 9, size=3, times=0), "f: times = 0: must be a whole number from 1 to 9."),
    (lambda: asked.word("f", "way", "boks", WAYS), "f: way = 'boks': must be one of box, disc. Did you mean 'box'?"),
    (lambda: asked.one_of("f", WAYS, way="box", to=7), "f: to = 7: must be one of box, disc."),
    (lambda: asked.text("f", "text", LONG, 9), f"f: text = '{LONG[:79]}: must be a text of at most 9 characters."),
    (lambda: asked.flag("mark", "bold", 1), "mark: bold = 1: must be true or false."),
    (lambda: asked.numbers("warp", "by", [1], 2), "warp: by = [1]: must be 2 numbers."),
    (lambda: asked.numbers("warp", "by", [1, "a"], 2, 0, 5), "warp: by[1] = 'a': must be a number from 0 to 5."),
    (lambda: asked.pairs("warp", "to", [(0, 1)], 2, 0, 9), "warp: to = [(0, 1)]: must be 2 to 256 pairs of numbers."),
    (lambda: asked.pairs("warp", "to", [(0, 1), (2,)], 2, 0, 9), "warp: to[1] = (2,): must be 2 numbers."),
    (lambda: asked.several("retinex", 0, 1, scales=[]), "retinex: scales = []: must be 1 to 16 numbers in brackets."),
    (lambda: asked.several("retinex", 0, 1, scales=[0.5, 2]), "retinex: scales = 2: must be a number from 0 to 1."),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "line"), REFUSED)
def test_what_cannot_be_meant_is_one_line(ask: Callable[[], Any], line: str) -> None:
    with pytest.raises(SettingsError, match=f"^{re.escape(line)}$"):
        ask()


def test_what_can_be_is_answered_as_it_is_used() -> None:
    whole, number = asked.whole("f", "n", np.float32(4), 1, 9), asked.number("f", "x", np.uint8(4), 4, 4)
    assert (whole, type(whole), number, type(number)) == (4, int, 4.0, float)
    assert asked.word("f", "w", "a", iter("ab")) == "a"
    assert asked.text("f", "t", "abc", 3) == "abc"
    assert asked.flag("f", "b", False) is False
    assert asked.numbers("f", "x", [1, 2], 2) == (1.0, 2.0)
    assert asked.pairs("f", "p", [[1, 2], (3, 4)], 2, 0, 9) == ((1.0, 2.0), (3.0, 4.0))


def test_some_with_one_bound_pass() -> None:
    asked.within("f", 0, 1, a=0, b=1.0, c=np.float64(0.5))
    asked.wholes("f", 0, 5, a=0, b=np.int64(5))
    asked.one_of("f", iter(("a", "b")), first="a", second="b")
    asked.several("f", 0, 1, scales=(0.1, 1), count=2)
