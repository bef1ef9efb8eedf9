"""A power law through errors: found again where it holds, careful where it does not."""

import numpy as np
import pytest

from sightline.training.law import Law, fit

COUNTS = np.array([100, 200, 400, 700, 1000])


@pytest.mark.parametrize("law", [Law(0.05, 3.0, 0.5), Law(0.0, 1.2, 0.3), Law(0.2, 40.0, 1.0)])
def test_a_law_is_found_again(law: Law) -> None:
    found = fit(COUNTS, law.at(COUNTS))
    assert found.at(5000) == pytest.approx(law.at(5000), abs=0.01)
    assert found.needed(float(law.at(3000))) == pytest.approx(3000, rel=0.15)


def test_noise_and_rising_errors_do_not_fool_it() -> None:
    rising = fit(COUNTS, [0.1, 0.12, 0.14, 0.15, 0.16])
    assert rising.at(1e6) == pytest.approx(rising.at(1000), abs=0.03), "more data is never said to do harm"
    noisy = fit(COUNTS, Law(0.05, 3.0, 0.5).at(COUNTS) + np.random.default_rng(0).normal(0, 0.005, 5))
    assert noisy.at(2000) == pytest.approx(Law(0.05, 3.0, 0.5).at(2000), abs=0.02)


def test_below_the_floor_no_number_is_enough() -> None:
    assert Law(0.1, 1.0, 0.5).needed(0.1) == float("inf")
    assert Law(0.1, 1.0, 0.5).needed(0.2) == pytest.approx(100)
    assert Law(0.1, 0.0, 0.5).needed(0.2) == 0.0
