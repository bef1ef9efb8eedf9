"""Templates are found where they were put, however large and turned."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from sightline.core.annotations import Objects
from sightline.core.errors import InputError, SettingsError
from sightline.finders import templates


def part() -> np.ndarray:
    made = np.full((21, 31), 60, np.uint8)
    made[4:17, 5:12], made[4:9, 12:26] = 220, 160
    return made


def scene(places: list[tuple[int, int]], patch: np.ndarray) -> np.ndarray:
    made = np.random.default_rng(0).integers(50, 70, (150, 200)).astype(np.uint8)
    for x, y in places:
        made[y : y + patch.shape[0], x : x + patch.shape[1]] = patch
    return made


def corners(found: Objects) -> set[tuple[int, int]]:
    return {(int(x), int(y)) for x, y in np.round(found.boxes[:, :2])}


@pytest.mark.parametrize("method", ["ncc", "ssd"])
def test_copies_are_found_where_they_are(method: str) -> None:
    places = [(10, 20), (120, 35), (60, 110)]
    found = templates.template(scene(places, part()), like=part(), method=method, least=0.95)
    assert corners(found) == set(places)
    assert found.scores == pytest.approx(1, abs=1e-3)


def test_the_score_is_opencvs() -> None:
    image = scene([(40, 40)], part())
    want = cv2.matchTemplate(image.astype(np.float32), part().astype(np.float32), cv2.TM_CCOEFF_NORMED)
    found = templates.template(image, like=part(), least=0.3, count=1)
    assert found.scores is not None
    assert found.scores[0] == pytest.approx(want.max(), abs=1e-4)


def test_another_lamp_does_no_harm() -> None:
    image = scene([(40, 40)], part())
    found = templates.template((image * 0.5 + 20).astype(np.uint8), like=part(), least=0.95)
    assert corners(found) == {(40, 40)}


@pytest.mark.parametrize(("scale", "turn"), [(1.0, 90.0), (2.0, 0.0), (1.0, 30.0), (1.5, -45.0)])
def test_scales_and_turns(scale: float, turn: float) -> None:
    large = cv2.resize(part(), None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    move = cv2.getRotationMatrix2D((large.shape[1] / 2 - 0.5, large.shape[0] / 2 - 0.5), -turn, 1)
    move[:, 2] += [100 - large.shape[1] / 2, 75 - large.shape[0] / 2]
    image = cv2.warpAffine(large, move, (200, 150), borderMode=cv2.BORDER_CONSTANT, borderValue=60)
    found = templates.template(image, like=part(), scales="1,1.5,2", turns=[-45, 0, 30, 90], least=0.6)
    assert found.details is not None
    assert found.details[0] == {"scale": scale, "turn": turn}
    middle = (found.boxes[0, :2] + found.boxes[0, 2:]) / 2
    assert np.abs(middle - (100, 75)).max() < 1.1
    assert found.scores is not None
    assert found.scores[0] > 0.9


def test_files_and_several_templates(tmp_path: Path) -> None:
    Image.fromarray(part()).save(tmp_path / "hook.png")
    Image.fromarray(np.ascontiguousarray(part()[:, ::-1])).save(tmp_path / "mirrored.png")
    image = scene([(20, 20)], part())
    image[100:121, 100:131] = part()[:, ::-1]
    found = templates.template(image, like=f"{tmp_path / 'hook.png'},{tmp_path / 'mirrored.png'}", least=0.95)
    assert found.names == ("hook", "mirrored")
    assert {
        (found.names[row], *np.round(box[:2]).tolist()) for row, box in zip(found.classes, found.boxes, strict=True)
    } == {
        ("hook", 20, 20),
        ("mirrored", 100, 100),
    }


def test_what_cannot_be_looked_for_is_refused(tmp_path: Path) -> None:
    image = scene([], part())
    for settings, said in [
        ({}, "like = nothing"),
        ({"like": np.zeros((5, 5), np.uint8)}, "it is plain"),
        ({"like": part(), "scales": "one"}, "scales = one: give numbers"),
        ({"like": part(), "scales": "0"}, "scales = 0"),
        ({"like": part(), "method": "best"}, "method = 'best'"),
    ]:
        with pytest.raises(SettingsError, match=said):
            templates.template(image, **settings)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        templates.template(image, like=str(tmp_path / "none.png"))
    assert len(templates.template(part(), like=scene([], part()))) == 0, "larger than the picture: it is nowhere"
