"""Sums of bands: one picture from the channels of a multispectral one."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from sightline.core.asked import number, text
from sightline.core.errors import InputError, SettingsError
from sightline.filters._pixels import ends, kept_within, on_any_pixels

_LONGEST = 300  # characters
_SIGNS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
Step = Callable[[dict[int, np.ndarray]], Any]


@on_any_pixels
def bands(
    image: np.ndarray, *, expression: str = "(b2-b1)/(b2+b1)", low: float = -1.0, high: float = 1.0
) -> np.ndarray:
    """A sum of channels b1, b2, … such as (b4-b3)/(b4+b3): one channel, `low` is black and `high` is white.

    Channels count as parts of the range. There are numbers, names, + - * / and parentheses; nothing by nothing is 0.
    """
    number("bands", "low", low, -1e6, 1e6)
    number("bands", "high", high, -1e6, 1e6)
    if low >= high:
        raise SettingsError(f"bands: low = {low}: must be below high, which is {high}.")
    step, named = _parsed(text("bands", "expression", expression, _LONGEST))
    if max(named) >= image.shape[2]:
        raise InputError(
            "mismatch", f"bands asks for b{max(named) + 1}, and the picture has {image.shape[2]} channels."
        )
    black, white = ends(image)
    values = {place: cv2.extractChannel(image, place).astype(np.float32) for place in named}
    for plane in values.values():
        if black:
            plane -= np.float32(black)
        plane *= np.float32(1 / (white - black))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = np.asarray(step(values), np.float32)
    bad = np.isnan(found)
    if bad.any():
        unknown = [np.isnan(one) for one in values.values()] if image.dtype.kind == "f" else []
        found[bad & ~np.any(unknown, 0) if unknown else bad] = 0
    np.clip(found, np.float32(low), np.float32(high), out=found)
    gain = (white - black) / (high - low)
    kind = {"B": cv2.CV_8U, "H": cv2.CV_16U, "f": cv2.CV_32F}[image.dtype.char]
    made = np.asarray(cv2.addWeighted(found, gain, found, 0, black - low * gain, dtype=kind))
    return kept_within(made.reshape(*found.shape, 1), image)


@lru_cache(64)
def _parsed(expression: str) -> tuple[Step, tuple[int, ...]]:
    """What computes it from channels by number, and the channels that it names, from 0."""
    refusal = f"bands: expression = {expression!r}: must be a sum of b1, b2, … and numbers with + - * / and parentheses"
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise SettingsError(f"{refusal}.") from error
    named = {int(node.id[1:]) - 1 for node in ast.walk(tree) if isinstance(node, ast.Name) and _name(node.id)}
    if not named:
        raise SettingsError(f"{refusal}; it names no channel.")
    return _step(tree, refusal), tuple(sorted(named))


def _fits(value: float) -> bool:
    return not isinstance(value, bool) and abs(value) <= 1e9


def _name(text: str) -> bool:
    return bool(re.fullmatch(r"b[1-9]\d{0,4}", text, re.ASCII))


def _step(node: ast.expr, refusal: str) -> Step:
    """What computes a part of it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and _fits(node.value):
        value = np.float32(node.value)
        return lambda _: value
    if isinstance(node, ast.Name) and _name(node.id):
        place = int(node.id[1:]) - 1
        return lambda values: values[place]
    if isinstance(node, ast.UnaryOp) and type(node.op) in _SIGNS:
        sign, inner = _SIGNS[type(node.op)], _step(node.operand, refusal)
        return lambda values: sign(inner(values))
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        sign, left, right = _SIGNS[type(node.op)], _step(node.left, refusal), _step(node.right, refusal)
        return lambda values: sign(left(values), right(values))
    raise SettingsError(f"{refusal}; '{ast.unparse(node)}' is none of these.")
