"""How long learning will take, from a few steps: what noise hides is never taken for nothing."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sightline.training.loader import Loader
from sightline.training.trial import FEW, _solving
from tests.training.workshop import PLAIN, loop


class Slow:
    """What is solved at once, in as many seconds as it is told."""

    def __init__(self, *seconds: float) -> None:
        self.seconds, self.rows = iter(seconds), list[int]()

    def solve(self, batches: Iterable[dict[str, Any]]) -> None:
        self.rows.append(sum(len(batch["image"]) for batch in batches))
        time.sleep(next(self.seconds))


@pytest.mark.parametrize(
    ("seconds", "each"),
    [
        ((0.6, 0.3, 0.3, 0.5, 0.5), 0.2 / (3 * FEW)),  # what grows with rows
        ((0.6, 0.9, 0.3, 0.9, 0.5), 0.2 / (3 * FEW)),  # the machine was busy now and then
        ((0.6, 0.4, 0.4, 0.3, 0.3), 0.3 / (4 * FEW)),  # all the while with few: all of the time with more
    ],
)
def test_what_a_row_costs_where_all_is_solved_at_once(seconds: tuple[float, ...], each: float, tmp_path: Path) -> None:
    made = loop(tmp_path)
    network = Slow(*seconds)
    loader = Loader(made.task, made.facts, made.train, 0, None, 0)
    found = _solving(network, loader, [list(range(FEW))] * 4, made.settings, PLAIN)
    assert found == pytest.approx(each, rel=0.3)
    assert network.rows == [FEW] * 3 + [4 * FEW] * 2
