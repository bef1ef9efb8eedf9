"""What an epoch shows: balance, weights, and nothing but a pure function of seed and epoch."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from sightline.core.annotations import Labels, Objects, Regions
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import ArrayImage
from sightline.core.progress import Event
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.tasks.classify import Classify
from sightline.tasks.embed import Embed
from sightline.training.sampling import check, draw_from, plan
from sightline.training.settings import Settings

PIXELS = ArrayImage(np.zeros((4, 4, 1), np.uint8))


def data(**counts: int) -> Dataset:
    samples = [
        Sample(f"{name}-{n}", (PIXELS,), Labels((name,)), attributes={"site": name[0], "weight": len(name)})
        for name, count in counts.items()
        for n in range(count)
    ]
    return Dataset(samples, names=tuple(counts), kind=Labels)


def shown(some: Dataset, sampling: str, epochs: int, size: int = 8) -> list[list[int]]:
    draw = draw_from(some, sampling)
    facts = Facts({}, some.names)
    return [
        [row for batch in plan(Classify(), some, facts, size, 3, epoch, draw) for row in batch]
        for epoch in range(epochs)
    ]


def test_plain_shows_every_row_once_in_the_order_of_the_task() -> None:
    some = data(a=20, b=5)
    for epoch, rows in enumerate(shown(some, "plain", 2)):
        batches = Classify().order(some, Facts({}), 8, generator(3, "order", epoch))
        assert rows == [row for batch in batches for row in batch]
        assert sorted(rows) == list(range(25))


def test_balanced_shows_every_name_as_often_and_spreads_over_its_rows() -> None:
    some = data(common=80, rare=8, single=1)
    epochs = shown(some, "balanced", 6)
    for rows in epochs:
        names = Counter(some[row % len(some)].truth.best for row in rows)  # type: ignore[union-attr]
        assert sum(names.values()) == len(some)
        assert max(names.values()) - min(names.values()) <= 1, "not one of 89 may be over"
        rare = Counter(row % len(some) for row in rows if 80 <= row % len(some) < 88)
        assert set(rare) == set(range(80, 88))
        assert max(rare.values()) - min(rare.values()) <= 1, "no row of a name comes twice before all came once"
        assert len({row for row in rows if row < 80}) >= 29, "a common row comes once at most"
    seen = {row for rows in epochs for row in rows if row < 80}
    assert len(seen) > 65, "epochs show other rows of a common name"


def test_a_row_shown_again_has_a_name_and_so_a_chance_of_its_own() -> None:
    some = data(common=40, rare=2)
    rows = shown(some, "balanced", 1)[0]
    assert len(rows) == len(set(rows)) == 42
    assert max(rows) >= 42 * 9


def test_what_is_drawn_depends_on_seed_and_epoch_alone() -> None:
    some = data(common=40, rare=4)
    assert shown(some, "balanced", 3) == shown(some, "balanced", 3)
    first, second = shown(some, "balanced", 2)
    assert first != second
    facts = Facts({}, some.names)
    draw = draw_from(some, "balanced")
    one, other = (plan(Classify(), some, facts, 8, seed, 0, draw) for seed in (3, 4))
    assert one != other


def test_balanced_by_an_attribute() -> None:
    some = data(x_one=30, x_two=30, y_one=6)
    rows = shown(some, "balanced:site", 1)[0]
    sites = Counter(some[row % len(some)].attributes["site"] for row in rows)
    assert sites == {"x": 33, "y": 33}


def test_weighted_shows_in_proportion_and_never_what_weighs_nothing() -> None:
    samples = [Sample(str(n), (PIXELS,), attributes={"weight": (0, 1, 3)[n % 3]}) for n in range(60)]
    some = Dataset(samples, names=("a",))
    draw = draw_from(some, "weighted")
    drawn = draw.rows(generator(0, "draw", 0))
    assert drawn is not None
    rows = Counter(row % 60 % 3 for row in drawn)
    assert rows == {1: 15, 2: 45}
    each = Counter(row % 60 for row in drawn if row % 60 % 3 == 2)
    assert set(each.values()) == {2, 3}


def test_things_count_by_their_rarest_name() -> None:
    def things(*classes: int) -> Objects:
        return Objects(np.zeros((len(classes), 4), np.float32), np.array(classes, np.int64), ("car", "bike"))

    truths: list[Any] = [things(0, 0)] * 8 + [things(0, 1)] * 2
    some = Dataset([Sample(str(n), (PIXELS,), truth) for n, truth in enumerate(truths)], names=("car", "bike"))
    groups = {name: rows.tolist() for name, rows, _ in draw_from(some, "balanced").groups}
    assert groups == {"bike": [8, 9], "car": list(range(8))}
    maps = [Regions(np.full((4, 4), n > 5, np.int64), ("sky", "road")) for n in range(9)]
    areas = Dataset([Sample(str(n), (PIXELS,), truth) for n, truth in enumerate(maps)])
    assert {name: len(rows) for name, rows, _ in draw_from(areas, "balanced").groups} == {"road": 3, "sky": 6}


def test_a_task_with_an_order_of_its_own_orders_what_was_drawn() -> None:
    some = data(common=40, rare=4, odd=4)
    facts = Facts({}, some.names, {"each": 2})
    batches = plan(Embed(), some, facts, 8, 0, 0, draw_from(some, "balanced"))
    names = Counter(some[row % len(some)].truth.best for batch in batches for row in batch)  # type: ignore[union-attr]
    assert names == {"common": 16, "rare": 16, "odd": 16}
    whole = [Counter(some[row % len(some)].truth.best for row in batch) for batch in batches]  # type: ignore[union-attr]
    assert all(count % 2 == 0 for batch in whole for count in batch.values()), "two of every name, as the task wants"


def test_it_is_said_aloud() -> None:
    said: list[Event] = []
    draw_from(data(common=90, rare=10), "balanced", said.append)
    assert [event.text for event in said] == [
        "sampling: balanced; an epoch shows rare (10) 5 times, common (90) 0.56 times"
    ]
    draw_from(data(common=9, rare=1), "plain", said.append)
    assert len(said) == 1


@pytest.mark.parametrize("sampling", ["even", "balanced:", "plain:site", "weighted:", ""])
def test_a_way_that_is_none_is_refused(sampling: str) -> None:
    with pytest.raises(SettingsError, match=r"write auto, plain, balanced, balanced:ATTRIBUTE"):
        check(sampling)
    with pytest.raises(SettingsError, match=r"train\.sampling"):
        Settings(sampling=sampling)


@pytest.mark.parametrize(
    ("sampling", "attributes", "why"),
    [
        ("balanced:camera", {}, "no attribute 'camera'.*It has: site, weight"),
        ("weighted", {"weight": "heavy"}, "'weight' is heavy; a weight is a number"),
        ("weighted", {"weight": -1}, "a weight is a number of 0 or more"),
        ("weighted", {"weight": float("nan")}, "a weight is a number"),
        ("weighted", {"weight": 0}, "nothing would be shown"),
        ("balanced:site", {"site": "s"}, "one value of 'site'"),
    ],
)
def test_data_that_cannot_be_drawn_so_is_refused(sampling: str, attributes: dict[str, Any], why: str) -> None:
    samples = [
        Sample(str(n), (PIXELS,), Labels(("a",)), attributes={"site": n, "weight": 1, **attributes}) for n in (1, 2)
    ]
    with pytest.raises(InputError, match=why):
        draw_from(Dataset(samples), sampling)


def test_one_name_has_nothing_to_balance() -> None:
    with pytest.raises(InputError, match=r"one name .*nothing to balance"):
        draw_from(data(only=5), "balanced")
