"""Lines that were drawn are found where they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sightline.core.errors import SettingsError
from sightline.finders import lines

ENDS = [((10, 20), (110, 70)), ((30, 90), (120, 12)), ((64, 5), (64, 90))]


def drawn() -> np.ndarray:
    image = np.zeros((100, 130), np.uint8)
    for start, end in ENDS:
        cv2.line(image, start, end, 255, 1)
    return image


def away(points: np.ndarray, start: tuple[int, int], end: tuple[int, int]) -> np.ndarray:
    """How far points lie from a line through pixel centres."""
    one, two = np.array(start) + 0.5, np.array(end) + 0.5
    across = np.array([two[1] - one[1], one[0] - two[0]]) / np.hypot(*(two - one))
    return np.abs((points - one) @ across)


def test_lines_through_the_picture() -> None:
    found = lines.hough_lines(drawn(), least=60, edges=True)
    assert found.keypoints is not None
    assert found.details is not None
    for start, end in ENDS:
        assert away(found.keypoints[..., :2], start, end).max(1).min() < 1.5
    votes = [one["votes"] for one in found.details]
    assert votes == sorted(votes, reverse=True)
    rows, columns = 100, 130
    for (x, y, _), one in zip(found.keypoints.reshape(-1, 3), np.repeat(found.details, 2), strict=True):
        assert -1e-3 <= x <= columns
        assert -1e-3 <= y <= rows
        assert abs((x - 0.5) * np.cos(one["angle"]) + (y - 0.5) * np.sin(one["angle"]) - one["distance"]) < 1e-2
    want = np.asarray(cv2.HoughLinesWithAccumulator(drawn(), 1, np.pi / 180, 60)).reshape(-1, 3)
    assert sorted(votes) == sorted(want[:, 2].astype(int).tolist())


def test_segments_end_where_they_were_drawn_to_end() -> None:
    found = lines.line_segments(drawn(), edges=True)
    assert found.keypoints is not None
    assert found.scores is not None
    for start, end in ENDS:
        ends = found.keypoints[..., :2]
        near = (away(ends, start, end) < 1.5).all(1)
        assert near.any()
        length = np.hypot(*(ends[near, 0] - ends[near, 1]).T).max()
        assert length > 0.75 * np.hypot(*np.subtract(start, end))
    assert (found.scores > 0.9).all()


def test_edges_of_a_bar_are_two_lines() -> None:
    image = np.full((90, 120, 3), 40, np.uint8)
    image[:, 50:60] = 220
    found = lines.hough_lines(image, least=80, count=2)
    assert found.keypoints is not None
    assert sorted(np.round(found.keypoints[:, 0, 0]).tolist()) in ([50, 60], [50, 61], [51, 60], [49, 60])
    assert len(lines.hough_lines(np.full((90, 120), 99, np.uint8))) == 0
    assert len(lines.line_segments(np.full((90, 120), 99, np.uint8))) == 0


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingsError, match="least = 0: must be a whole number"):
        lines.hough_lines(drawn(), least=0)
