"""Settings get the types of the signature, from text and from Python alike."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from sightline.applying.values import plain, settings_of, settle
from sightline.core.errors import SettingsError
from sightline.core.image import write_image


def made(
    image: np.ndarray,
    *,
    sigma: float = 1.0,
    times: int = 1,
    size: tuple[int, int] = (3, 3),
    points: tuple[float, ...] = (),
    mode: Literal["edge", "wrap"] = "edge",
    level: float | None = None,
    side: int | Literal["auto"] = "auto",
    either: int | tuple[int, int] = 3,
    curve: tuple[tuple[float, float], ...] = (),
    fill: str | float | Sequence[float] = "edge",
    keep: bool = False,
    name: str = "",
    mask: np.ndarray | None = None,
    file: Path | None = None,
) -> np.ndarray:
    return image


KNOWN = settings_of(made)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("sigma", "2", 2.0),
        ("sigma", 2, 2.0),
        ("sigma", "-1.5e2", -150.0),
        ("times", "3", 3),
        ("size", "(64, 32)", (64, 32)),
        ("size", "64,32", (64, 32)),
        ("size", [64, 32], (64, 32)),
        ("points", "1,2.5,3", (1.0, 2.5, 3.0)),
        ("curve", "(0,0),(0.5,.7),(1,1)", ((0.0, 0.0), (0.5, 0.7), (1.0, 1.0))),
        ("curve", "((0, 0), (1, 1))", ((0.0, 0.0), (1.0, 1.0))),
        ("fill", "edge", "edge"),
        ("fill", "3", 3.0),
        ("fill", "1,2,3", (1.0, 2.0, 3.0)),
        ("points", "(5)", (5.0,)),
        ("mode", "wrap", "wrap"),
        ("level", "none", None),
        ("level", "0.5", 0.5),
        ("side", "auto", "auto"),
        ("side", "7", 7),
        ("either", "5", 5),
        ("either", "5,6", (5, 6)),
        ("keep", "true", True),
        ("keep", False, False),
        ("name", "12", "12"),
        ("file", "a/b", Path("a/b")),
    ],
)
def test_text_and_values_become_what_the_signature_says(name: str, given: Any, value: Any) -> None:
    found = settle("made", KNOWN, {name: given})[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("sgma", "2", "no setting is called 'sgma'. Did you mean 'sigma'?"),
        ("sigma", "wide", "sigma = 'wide': must be a number"),
        ("sigma", "true", "must be a number"),
        ("times", "1.5", "must be a whole number"),
        ("times", True, "must be a whole number"),
        ("size", "64", "2 values"),
        ("size", "a,b", "whole number"),
        ("mode", "wrp", "one of edge, wrap. Did you mean 'wrap'?"),
        ("keep", "yes", "true or false"),
        ("level", "x", "a number"),
        ("name", 3, "text"),
    ],
)
def test_what_does_not_fit_is_one_line(name: str, given: Any, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settle("made", KNOWN, {name: given})
    assert says in caught.value.message
    assert caught.value.message.startswith("made: ")


def test_pictures_are_read_and_sealed_by_what_they_hold(tmp_path: Path) -> None:
    path = write_image(tmp_path / "mask.png", np.full((3, 4), 9, np.uint8))
    mask = settle("made", KNOWN, {"mask": str(path)})["mask"]
    assert mask.shape == (3, 4, 1)
    before = plain({"mask": mask})
    write_image(path, np.full((3, 4), 8, np.uint8))
    assert plain({"mask": settle("made", KNOWN, {"mask": path})["mask"]}) != before
    assert settle("made", KNOWN, {"mask": "1,2"})["mask"].tolist() == [1, 2]
    (tmp_path / "a").write_bytes(b"1")
    first = plain(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"2")
    assert plain(tmp_path / "a") != first
