"""What labels make of names: an order, where one can be told."""

import pytest

from sightline.core.naming import listed, ranked


@pytest.mark.parametrize(
    ("names", "order", "by"),
    [
        (("2", "10", "0"), ("0", "2", "10"), "the numbers in them"),
        (("stage3", "stage1"), ("stage1", "stage3"), "the numbers in them"),
        (("stage3", "phase1"), ("stage3", "phase1"), ""),  # numbers of unlike things
        (("0.5", "10", "1.5", "0"), ("0", "0.5", "1.5", "10"), "the numbers in them"),
        (("1", "0", "-1"), ("-1", "0", "1"), "the numbers in them"),
        (("grade-2", "grade-10", "grade-1.5"), ("grade-1.5", "grade-2", "grade-10"), "the numbers in them"),
        (("1.2.10", "1.2.9"), ("1.2.9", "1.2.10"), "the numbers in them"),
        (("Severe", "Mild", "Normal"), ("Normal", "Mild", "Severe"), "their words"),
        (("01", "1"), ("01", "1"), ""),  # one number twice
        (("severe", "mild"), ("mild", "severe"), "their words"),
        (("severe", "odd"), ("severe", "odd"), ""),
        (("low",), ("low",), ""),
        ((), (), ""),
    ],
)
def test_where_an_order_comes_from(names: tuple[str, ...], order: tuple[str, ...], by: str) -> None:
    assert ranked(names) == (order, by)


def test_many_names_fit_a_line() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abcdefgh", 2, " < ") == "a < b < and 6 more"
