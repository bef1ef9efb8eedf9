"""Chance is a pure function of named numbers, the same on every machine."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.chance import Chances, generator, seed_from

PARTS = st.lists(st.integers() | st.text(st.characters(exclude_characters="\x1f")), max_size=4)


def test_seeds_never_change() -> None:
    """A changed constant would change every run that ever was."""
    # printf 'str:split\\037int:0\\037str:a' | b2sum -l 64, read as a little-endian number, halved
    assert seed_from("split", 0, "a") == 8426136079882992269
    assert generator(0).random() == generator(0).random()


@given(PARTS, PARTS)
def test_seeds_depend_on_every_part_and_their_order(first: list[int | str], second: list[int | str]) -> None:
    assert (seed_from(*first) == seed_from(*second)) == (
        [(type(a), a) for a in first] == [(type(b), b) for b in second]
    )
    assert 0 <= seed_from(*first) < 2**63


def test_numbers_are_not_words() -> None:
    assert seed_from(1) != seed_from("1")
    assert seed_from("\udcff") != seed_from("\udcfe")


def test_chances_are_one_for_each_number_and_the_same_again() -> None:
    first, again, other = Chances(3, "sample", 1), Chances(3, "sample", 1), Chances(3, "sample", 2)
    drawn = np.array([first.of(number).random(4) for number in range(4000)])
    assert len(np.unique(drawn)) == drawn.size
    np.testing.assert_array_equal(drawn[::-7], [again.of(number).random(4) for number in range(4000)][::-7])
    assert not (drawn[:100] == [other.of(number).random(4) for number in range(100)]).any()
    np.testing.assert_allclose(drawn.mean(0), 0.5, atol=0.02)
    np.testing.assert_allclose(drawn.std(0), 12**-0.5, atol=0.01)
    assert np.abs(np.corrcoef(drawn[1:, 0], drawn[:-1, 0])[0, 1]) < 0.06, "neighbours know nothing of each other"
    assert first.of(1).random() != first.of(11).random() != first.of(111).random()


def test_chances_never_change_either() -> None:
    assert Chances(0, "sample", 0).of(0).integers(2**62, size=2).tolist() == [3435713163255249129, 1108235508216385642]
