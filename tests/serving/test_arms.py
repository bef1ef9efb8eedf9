"""Arms: sticky, in their shares, independent of each other; and JSON that comes back as it went."""

from __future__ import annotations

import json
import math

import pytest

from sightline.core.errors import SettingsError
from sightline.core.files import canonical
from sightline.serving import arms

COUNT = 20_000


def counted(traffic: arms.Traffic, count: int = COUNT, prefix: str = "caller") -> list[str]:
    return [arms.assign(traffic, f"{prefix}-{number}", "").arm for number in range(count)]


def within(observed: int, share: float, count: int, sigmas: float = 4.0) -> bool:
    return abs(observed - share * count) <= sigmas * math.sqrt(count * share * (1 - share))


@pytest.fixture
def traffic() -> arms.Traffic:
    return arms.Traffic("split", "champion", {"champion": 0.6, "challenger": 0.3, "7": 0.1}, id="0123456789abcdef")


def test_a_caller_keeps_its_arm_whatever_it_sends(traffic: arms.Traffic) -> None:
    for number in range(200):
        found = {arms.assign(traffic, f"c{number}", digest) for digest in ("", "aa", "bb")}
        assert len(found) == 1
    again = arms.Traffic.from_json(traffic.to_json())
    assert counted(traffic, 500) == counted(again, 500)


def test_without_a_caller_the_picture_keeps_its_arm(traffic: arms.Traffic) -> None:
    drawn = [arms.assign(traffic, "", f"digest-{number}").arm for number in range(300)]
    assert drawn == [arms.assign(traffic, "", f"digest-{number}").arm for number in range(300)]
    assert len(set(drawn)) == 3
    by_picture = arms.Traffic("split", "champion", traffic.shares, by=arms.PICTURE, id=traffic.id)
    assert [arms.assign(by_picture, "one caller", f"digest-{number}").arm for number in range(300)] == drawn


def test_shares_are_as_said(traffic: arms.Traffic) -> None:
    drawn = counted(traffic)
    for arm, share in traffic.shares.items():
        assert within(drawn.count(arm), share, COUNT)
    assert arms.assign(traffic, "x", "").experiment == "0123456789abcdef.0"
    assert {type(arms.assign(traffic, f"c{n}", "").answers) for n in range(200)} == {int, str}


def test_one_experiment_says_nothing_of_another(traffic: arms.Traffic) -> None:
    first = counted(traffic)
    second = counted(arms.Traffic("split", "champion", traffic.shares, id="fedcba9876543210"))
    both = sum(a == b == "champion" for a, b in zip(first, second, strict=True))
    assert within(both, 0.36, COUNT)


def test_a_growing_canary_moves_only_callers_to_itself() -> None:
    traffic = arms.canary(rise=arms.Rise(steps=(0.05, 0.25, 1.0)))
    before = counted(traffic, 4000)
    assert within(before.count("challenger"), 0.05, 4000)
    grown = arms.raised(traffic)
    after = counted(grown, 4000)
    assert within(after.count("challenger"), 0.25, 4000)
    assert all(new == "challenger" for old, new in zip(before, after, strict=True) if old == "challenger")
    assert (traffic.experiment[-2:], grown.experiment[-2:]) == (".0", ".1")
    top = arms.raised(grown)
    assert set(counted(top, 200)) == {"challenger"}
    done = arms.raised(top)
    assert done.rise is not None
    assert (done.rise.state, done.shares) == (arms.DONE, top.shares)
    gone = arms.pulled(grown, "more errors")
    assert set(counted(gone, 200)) == {"champion"}
    assert arms.Traffic.from_json(gone.to_json()) == gone


def test_every_kind_comes_back_from_json() -> None:
    kinds = [
        arms.SINGLE,
        arms.split({"champion": 90, "challenger": 10}),
        arms.canary("4", rise=arms.Rise(seconds=5, least=7)),
        arms.shadow(("challenger", "3")),
        arms.cascade("2", confidence=0.8, first="1"),
    ]
    assert {traffic.kind for traffic in kinds} == set(arms.KINDS)
    assert [arms.Traffic.from_json(json.loads(canonical(traffic.to_json()))) for traffic in kinds] == kinds
    first = arms.Traffic.from_json(json.loads(canonical(arms.split({"champion": 9, "a": 1}).to_json())))
    assert (first.control, first.challengers) == ("champion", ("a",))  # whatever order JSON is kept in
    assert arms.Traffic.from_json(None) == arms.SINGLE
    assert arms.assign(kinds[3], "a", "").shadows == ("challenger", 3)
    assert (arms.assign(kinds[4], "a", "").answers, arms.assign(kinds[4], "a", "").larger) == (1, 2)
    assert arms.assign(arms.SINGLE, "a", "").arm == "champion"


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "splits"},
        {"kind": "split", "shares": {"champion": 0.5, "challenger": 0.6}},
        {"kind": "split", "shares": {"champion": 1.5, "challenger": -0.5}},
        {"kind": "split", "shares": {"champion": 0.5, "a/../b": 0.5}},
        {"kind": "canary", "shares": {"champion": 0.95, "challenger": 0.05}},
        {"kind": "shadow"},
        {"kind": "single", "control": "challenger"},
        {"kind": "single", "shadows": ["challenger"]},
        {"kind": "cascade", "larger": "challenger"},
        {"kind": "single", "share": 1},
        {"kind": "single", "by": "weather"},
        {"kind": "canary", "rise": {"steps": [0.5, 0.2]}},
        {"kind": "canary", "rise": {"stops": [0.5]}},
        {"kind": "canary", "shares": {"champion": 1.0}, "rise": {"steps": [0.5]}},
    ],
)
def test_what_cannot_be_is_refused_in_one_line(given: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as caught:
        arms.Traffic.from_json(given)
    assert len(caught.value.message) < 250


def test_constructors_refuse_what_is_no_comparison() -> None:
    for make in (
        lambda: arms.split({"champion": 1}),
        lambda: arms.split({"champion": 1, "challenger": 0}),
        lambda: arms.split({"champion": 1, "challenger": math.nan}),
        lambda: arms.canary("champion"),
        lambda: arms.raised(arms.SINGLE),
    ):
        with pytest.raises(SettingsError):
            make()
