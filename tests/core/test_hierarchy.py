"""Names in names: which are leaves, which parents say something, and that parents are the sums of their leaves."""

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.hierarchy import Tree, above, at_level, depth_of, score_of, under

NAMES = ("animal/dog/poodle", "animal/dog/pug", "animal/cat", "plant/fern", "rock")
ANSWER = Labels(NAMES, np.array([0.1, 0.2, 0.3, 0.15, 0.25]))


def test_what_stands_above_a_name() -> None:
    assert above("animal/dog/pug") == ("animal", "animal/dog")
    assert above("rock") == ()
    assert under("animal/dog", "animal")
    assert not under("animals/dog", "animal")
    assert depth_of(NAMES) == 3


def test_parents_are_kept_where_they_say_something() -> None:
    tree = Tree.of(NAMES)
    assert tree.leaves == NAMES
    assert tree.parents == ("animal", "animal/dog"), "plant holds one leaf alone"
    assert tree.depth == 3
    assert tree.members().tolist() == [[True, True, True, False, False], [True, True, False, False, False]]
    assert tree.nodes_of("animal/dog/pug") == [1, 5, 6] or tree.nodes_of("animal/dog/pug") == [1, 6, 5]
    assert tree.nodes_of("plant/fern") == [3]
    assert tree.nodes_of("plant") == []


@pytest.mark.parametrize(
    ("names", "leaves", "parents"),
    [
        (("cat", "dog"), ("cat", "dog"), ()),
        (("yes", "no", "n/a"), ("yes", "no", "n/a"), ()),
        (("x/a", "x/b"), ("x/a", "x/b"), ()),  # one parent of all says nothing
        (("x", "x/a", "x/b"), ("x/a", "x/b"), ("x",)),  # but is somebody's label
        (("cat/long", "cat/short", "dog"), ("cat/long", "cat/short", "dog"), ("cat",)),
        (("a/1", "a/2", "b/1", "b"), ("a/1", "a/2", "b/1"), ("a", "b")),
        ((), (), ()),
    ],
)
def test_which_names_are_a_hierarchy(names: tuple[str, ...], leaves: tuple[str, ...], parents: tuple[str, ...]) -> None:
    tree = Tree.of(names)
    assert (tree.leaves, tree.parents) == (leaves, parents)


def test_a_parent_is_as_likely_as_its_leaves_together() -> None:
    assert score_of(ANSWER, "animal") == pytest.approx(0.6)
    assert score_of(ANSWER, "animal/dog") == pytest.approx(0.3)
    assert score_of(ANSWER, "rock") == 0.25
    assert score_of(ANSWER, "cloud") == 0.0
    assert score_of(Labels(("animal/cat",)), "animal") == 1.0


def test_levels_add_up_whatever_the_depth() -> None:
    for depth, names in (
        (1, ("animal", "plant", "rock")),
        (2, ("animal/dog", "animal/cat", "plant/fern", "rock")),
        (3, NAMES),
    ):
        level = at_level(ANSWER, depth)
        assert level.names == names
        assert level.scores is not None
        assert level.scores.sum() == pytest.approx(1.0)
        assert level.scores == pytest.approx([score_of(ANSWER, name) for name in names])
    assert at_level(Labels(("animal/cat",)), 1).names == ("animal",)


TOLD = {"apple": "fruit", "pear": "fruit", "bed": "furniture", "fruit": "plant", "rose": "plant", "plant": "none",
        "furniture": "none", "none": "none"}  # fmt: skip


def test_a_data_set_may_say_what_stands_above_its_names() -> None:
    names = ("apple", "bed", "pear", "rose")
    assert above("apple", TOLD) == ("none", "plant", "fruit")
    assert under("pear", "plant", TOLD)
    assert not under("bed", "plant", TOLD)
    assert not under("pear", "plant")
    tree = Tree.of(names, TOLD)
    assert tree.leaves == names
    assert tree.parents == ("plant", "fruit"), "the higher one first; none holds all, furniture one alone"
    assert tree.members().tolist() == [[True, False, True, True], [True, False, True, False]]
    assert tree.nodes_of("pear") == [2, 4, 5]
    assert tree.told == {name: one for name, one in TOLD.items() if name != one}
    assert Tree.of(names).parents == ()
    answer = Labels(names, np.array([0.3, 0.35, 0.1, 0.25]))
    assert at_level(answer, 2, TOLD).names == ("plant", "furniture")
    assert at_level(answer, 2, TOLD).best == "plant"
    assert score_of(answer, "fruit", TOLD) == pytest.approx(0.4)
    assert depth_of(names, TOLD) == 4


def test_parents_in_a_circle_and_those_that_marks_say_already() -> None:
    assert above("a", {"a": "b", "b": "a"}) == ("b",)
    assert above("a", {"a": "a"}) == ()
    assert above("cat/lion", {"cat/lion": "cat"}) == ("cat",)
    tree = Tree.of(("cat/lion", "cat/lynx", "dog"), {"cat/lion": "cat", "cat/lynx": "cat"})
    assert (tree.parents, tree.told) == (("cat",), {})
