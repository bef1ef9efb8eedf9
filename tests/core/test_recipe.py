"""Recipes: plain, seeded, noted, replayed."""

import json
import tomllib

import numpy as np
import pytest

from sightline.core.annotations import Labels, Objects
from sightline.core.chance import generator
from sightline.core.errors import SettingsError, UnknownNameError
from sightline.core.image import ArrayImage
from sightline.core.recipe import apply, apply_alike, parse, replay
from sightline.core.sample import Sample
from tests.contracts.test_augmentations import THING, content, sample, scene

ROWS = [
    "flip",
    {"name": "rotate", "degrees": 20, "chance": 0.5},
    {"one_of": [{"name": "noise", "weight": 3}, {"name": "blur"}, {"name": "fog", "severity": 1}], "chance": 0.7},
    {"name": "erase", "repeat": 2, "chance": 0.6},
]


def one(seed: int = 0) -> Sample:
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 40, 3)).astype(np.uint8)
    return Sample(f"s{seed}", (ArrayImage(pixels),), Labels(("a",)))


def test_a_recipe_is_plain_and_reads_back() -> None:
    moves = parse(ROWS)
    plain = [move.to_json() for move in moves]
    assert parse(json.loads(json.dumps(plain))) == moves
    toml = """
    [[augmentations]]
    name = "window"
    size = [24, 24]
    [[augmentations]]
    one_of = [{ name = "gray" }, { name = "hue", most = 0.1 }]
    chance = 0.3
    """
    (first, second) = parse(tomllib.loads(toml)["augmentations"])
    assert apply([first], one(), generator(1)).pixels().shape == (24, 24, 3)
    assert second.chance == 0.3
    assert second.one_of[1].settings == {"most": 0.1}
    assert parse([("crop", {"size": (8, 8)})])[0].settings == {"size": (8, 8)}


def test_a_chance_of_its_own_belongs_to_the_augmentation() -> None:
    """`flip` knows chance itself: it is not drawn twice."""
    (move,) = parse([{"name": "flip", "chance": 1.0}])
    assert move.settings == {"chance": 1.0}
    assert all((apply([move], one(), generator(s)).pixels() == one().pixels()[:, ::-1]).all() for s in range(20))


def test_the_same_chance_gives_the_same_and_replays() -> None:
    moves = parse(ROWS)
    happened = set()
    for seed in range(30):
        notes: list[dict[str, object]] = []
        noted = content(apply(moves, one(), generator(seed), notes=notes))
        assert content(apply(moves, one(), generator(seed))) == noted, "taking notes changes nothing"
        again = json.loads(json.dumps(notes))
        assert content(replay(again, one())) == noted
        happened |= {str(note["name"]) for note in notes}
    assert happened == {"flip", "rotate", "noise", "blur", "fog", "erase"}


def test_chances_and_weights_are_kept() -> None:
    counts: dict[str, int] = {}
    for seed in range(300):
        notes: list[dict[str, object]] = []
        apply(parse(ROWS), one(), generator(seed), notes=notes)
        for note in notes:
            counts[str(note["name"])] = counts.get(str(note["name"]), 0) + 1
    assert 115 < counts["rotate"] < 185
    assert 95 < counts["noise"] < 158  # 0.7 * 3/5 of 300 is 126
    assert 22 < counts["fog"] < 65
    assert 315 < counts["erase"] < 405  # twice 0.6 of 300: the chance given is its own


def test_notes_say_where_the_pixels_went() -> None:
    notes: list[dict[str, object]] = []
    apply(parse([{"name": "flip", "chance": 1}, "noise"]), one(), generator(0), notes=notes)
    assert notes[0]["matrices"] == [[[-1, 0, 40], [0, 1, 0], [0, 0, 1]]]
    assert notes[1]["matrices"] == []


def test_one_draw_for_a_whole_set() -> None:
    """A query and its context move alike, each with its own truth."""
    query, context = sample(scene(), THING, images=1), sample(scene("uint16"), THING.take([]), images=1)
    moves = parse([{"name": "affine"}, {"name": "flip", "chance": 0.5}, {"name": "light"}])
    for seed in range(6):
        first, second = apply_alike(moves, [query, context], generator(seed))
        far = np.abs(first.pixels() / 255 - second.pixels() / 65535)
        assert far.mean() < 0.02
        assert isinstance(second.truth, Objects)
        assert len(second.truth) == 0
        assert content(first) == content(apply(moves, query, generator(seed)))
    assert apply_alike(moves, [], generator(0)) == []


def test_mixing_replays_with_the_same_others() -> None:
    moves = parse(["mixup", "cutmix"])
    notes: list[dict[str, object]] = []
    got = apply(moves, one(), generator(4), others=lambda count: [one(9)] * count, notes=notes)
    assert content(replay(notes, one(), others=lambda count: [one(9)] * count)) == content(got)
    with pytest.raises(SettingsError, match="needs others"):
        apply(moves, one(), generator(4))


def test_turns_are_counted_where_a_move_always_comes_once_and_noted() -> None:
    plain = content(one())
    for turn in range(4):
        notes: list[dict[str, object]] = []
        made = content(apply(parse(["flip"]), one(), generator(turn), notes=notes, turn=turn))
        assert (made != plain) == (turn % 2 == 1)
        assert content(replay(json.loads(json.dumps(notes)), one())) == made
    for row in ({"name": "flip", "repeat": 2}, {"one_of": ["flip"]}):
        counted = {str(content(apply(parse([row]), one(), generator(seed), turn=1))) for seed in range(20)}
        assert len(counted) == 2, "by chance"


def test_pictures_are_read_once() -> None:
    class Counted(ArrayImage):
        reads = 0

        def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
            type(self).reads += 1
            return self.pixels

    lazy = Sample("s", (Counted(one().pixels()),), Labels(("a",)))
    apply(parse(["flip", "rotate", "light", "erase"]), lazy, generator(0))
    assert Counted.reads == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([{"name": "rotate", "degree": 3}], "Did you mean 'degrees'"),
        ([{"name": "rotate", "chance": 2}], "from 0 to 1"),
        ([{"name": "rotate", "repeat": 0}], "1 to 100"),
        ([{"name": "rotate", "repeat": 1.5}], "whole number"),
        ([{"one_of": [{"name": "blur", "weight": 0}]}], "more than 0"),
        ([{"one_of": []}], "nothing to choose"),
        ([{"one_of": ["blur"], "name": "blur"}], "`name` or `one_of`"),
        ([{"degrees": 3}], "`name` or `one_of`"),
        ([3], "`name` or `one_of`"),
        ("flip", "a list"),
        ({"name": "flip"}, "a list"),
    ],
)
def test_what_is_wrong_is_said(given: object, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        parse(given)  # type: ignore[arg-type]


def test_an_unknown_name_is_said() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'rotate'"):
        parse(["rotat"])


def test_chance_that_cannot_be_noted_is_refused() -> None:
    with pytest.raises(SettingsError, match="PCG64"):
        apply(parse(["noise"]), one(), np.random.Generator(np.random.MT19937(0)), notes=[])
