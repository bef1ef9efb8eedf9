"""Things put together from parts: which groups count, how parts lie, and what is refused."""

import cv2
import numpy as np
import pytest

from sightline.applying.chain import Chain
from sightline.applying.parts import RELATIONS, Lie, Parts, assemble, join
from sightline.core.annotations import Labels, Objects
from sightline.core.errors import InputError, SettingsError

BLANK = np.zeros((100, 200, 3), np.uint8)
RULE = (
    "circles shade=dark least=0.8 smallest=6 largest=14 | named name=wheel"
    " | join (polygons level=0.72 least=40 | keep name=quadrilateral | named name=windshield)"
    ' | assemble name=car of="2 wheel + windshield"'
    ' where="wheel beside wheel and wheel like wheel and windshield above wheel"'
    ' | rule name=car when="count>=1" otherwise=other'
)


def things(scores: list[float] | None = None, **boxes: list[tuple[float, float, float, float]]) -> Objects:
    rows = [box for some in boxes.values() for box in some]
    classes = [number for number, some in enumerate(boxes.values()) for _ in some]
    held = None if scores is None else np.array(scores, np.float32)
    return Objects(np.array(rows, np.float32), np.array(classes, np.int64), tuple(boxes), scores=held)


CAR = {"wheel": [(10, 60, 30, 80), (60, 60, 80, 80)], "windshield": [(30, 20, 60, 40)]}


def built(found: Objects, of: str = "2 wheel + windshield", where: str = "windshield above wheel") -> Objects:
    return assemble(BLANK, objects=found, name="car", of=Parts.parse(of), where=Lie.parse(where) if where else None)


def test_two_wheels_and_a_windshield_above_them_are_a_car() -> None:
    made = built(things(**CAR))
    assert made.names == ("car",)
    assert made.boxes.tolist() == [[10, 20, 80, 80]]
    assert made.details is not None
    assert made.details[0]["parts"] == {"wheel": [[10, 60, 30, 80], [60, 60, 80, 80]], "windshield": [[30, 20, 60, 40]]}
    assert len(built(things(wheel=CAR["wheel"][:1], windshield=CAR["windshield"]))) == 0
    assert len(built(things(wheel=CAR["wheel"]), where="wheel beside wheel")) == 0, "no windshield at all"
    assert len(built(things(wheel=CAR["wheel"], windshield=[(30, 70, 60, 90)]))) == 0
    assert len(built(things(wheel=CAR["wheel"], windshield=[(30, 70, 60, 90)]), where="")) == 1


def test_a_part_is_of_one_thing_and_the_surest_group_comes_first() -> None:
    three = things([0.9, 0.4, 0.8, 1.0], wheel=[*CAR["wheel"], (62, 62, 82, 82)], windshield=CAR["windshield"])
    made = built(three)
    assert len(made) == 1
    assert made.scores is not None
    assert made.scores.tolist() == pytest.approx([0.8]), "as sure as its least sure part"
    apart = {name: [*some, *((x + 110, y, z + 110, w) for x, y, z, w in some)] for name, some in CAR.items()}
    two = built(things(**apart))
    assert sorted(two.boxes[:, 0].tolist()) == [10, 120], "near parts go together"
    far = things(wheel=[(0, 60, 20, 80), (180, 60, 200, 80)], windshield=CAR["windshield"])
    assert len(built(far)) == 0, "parts this far apart are of two things"
    assert len(assemble(BLANK, objects=far, name="car", of=Parts.parse("2 wheel + windshield"), reach=4.0)) == 1


@pytest.mark.parametrize(
    ("relation", "one", "other"),
    [
        ("above", (0, 0, 10, 10), (0, 20, 10, 30)),
        ("below", (0, 20, 10, 30), (0, 0, 10, 10)),
        ("left_of", (0, 0, 10, 10), (20, 0, 30, 10)),
        ("right_of", (20, 0, 30, 10), (0, 0, 10, 10)),
        ("beside", (0, 0, 10, 10), (20, 3, 30, 13)),
        ("inside", (2, 2, 5, 5), (0, 0, 10, 10)),
        ("like", (0, 0, 10, 10), (50, 50, 59, 59)),
    ],
)
def test_how_parts_lie(relation: str, one: tuple[float, ...], other: tuple[float, ...]) -> None:
    holds = RELATIONS[relation]
    assert holds(one, other)  # type: ignore[arg-type]
    if relation not in ("beside", "like"):
        assert not holds(other, one)  # type: ignore[arg-type]
    assert not holds(one, (0, 4, 90, 99) if relation != "inside" else (20, 20, 30, 30))  # type: ignore[arg-type]
    assert not RELATIONS["beside"]((0, 0, 10, 10), (20, 8, 30, 18))


def test_what_was_found_twice_is_joined_by_name() -> None:
    from sightline.applying import verbs

    first = things([0.5, 0.6], wheel=CAR["wheel"])
    chain = Chain.parse("polygons level=0.5 least=20 | named name=windshield")
    drawn = cv2.rectangle(BLANK.copy(), (30, 20), (60, 40), (255, 255, 255), -1)
    both = join(drawn, objects=first, chain=chain)
    assert both.names == ("wheel", "windshield")
    assert both.classes.tolist() == [0, 0, 1]
    assert both.boxes[2].tolist() == [30, 20, 61, 41]
    assert both.scores is not None
    assert both.scores[:2].tolist() == pytest.approx([0.5, 0.6])
    assert verbs.VERBS["join"] is join
    with pytest.raises(InputError, match="answered regions, not things"):
        join(drawn, objects=first, chain=Chain.parse("finders.otsu"))


def test_what_cannot_be_meant_is_one_line() -> None:
    for text in ("two wheels", "wheel +", "9 wheel", "0 wheel"):
        with pytest.raises(SettingsError, match="is no part; write them as"):
            Parts.parse(text)
    with pytest.raises(SettingsError, match=r"cannot lie 'abov'\. Did you mean 'above'"):
        Lie.parse("windshield abov wheel")
    with pytest.raises(SettingsError, match="is no relation"):
        Lie.parse("windshield above")
    with pytest.raises(SettingsError, match="'door' is no part of 2 wheel"):
        built(things(**CAR), where="door above wheel")
    crowd = things(wheel=[(x, 0, x + 1, 1) for x in range(60)])
    with pytest.raises(InputError, match="60 wheel can be put together in too many ways"):
        built(crowd, of="5 wheel", where="")
    with pytest.raises(SettingsError, match="reach = 0: must be a number from 1 to 100"):
        assemble(BLANK, objects=crowd, name="x", of=Parts.parse("wheel"), reach=0)


def car(turned: bool = False) -> np.ndarray:
    drawn = np.full((96, 96, 3), 110, np.uint8)
    cv2.rectangle(drawn, (14, 50), (78, 70), (60, 30, 30), -1)
    cv2.fillPoly(drawn, [np.array([(28, 50), (34, 32), (58, 32), (64, 50)])], (60, 30, 30))
    cv2.rectangle(drawn, (37, 36), (52, 46), (220, 230, 240), -1)
    for x in (27, 65):
        cv2.circle(drawn, (x, 70), 9, (8, 8, 8), -1, cv2.LINE_AA)
    return np.ascontiguousarray(np.rot90(drawn)) if turned else drawn


def test_a_rule_of_parts_knows_what_was_foreseen_and_nothing_else() -> None:
    chain = Chain.parse(RULE)
    assert str(Chain.parse(str(chain))) == str(chain)
    for picture, name in ((car(), "car"), (car(turned=True), "other"), (car()[:, 40:].copy(), "other")):
        answer = chain(picture).answer
        assert isinstance(answer, Labels)
        assert answer.names == (name,)


def test_a_region_stays_sharp_or_stays_alone() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 90, (80, 80, 3)).astype(np.uint8)
    cv2.circle(drawn, (40, 40), 20, (250, 220, 40), -1)
    inside = np.hypot(*(np.mgrid[:80, :80] - 40)) < 18
    blurred = Chain.parse("finders.otsu | portrait of=light radius=4 feather=0")(drawn).pixels
    alone = Chain.parse("finders.otsu | cut_out of=light ground=1 feather=0")(drawn).pixels
    assert np.array_equal(blurred[inside], drawn[inside])
    assert blurred[:15].std() < 0.4 * drawn[:15].std()
    assert np.array_equal(alone[inside], drawn[inside])
    assert (alone[:15] == 255).all()
    assert np.array_equal(Chain.parse("finders.otsu | cut_out ground=1 feather=0")(drawn).pixels, alone)
    with pytest.raises(SettingsError, match=r"no region is called 'ligth'\. Did you mean 'light'"):
        Chain.parse("finders.otsu | portrait of=ligth")(drawn)
    assert Chain.parse("portrait radius=2")(drawn).pixels.shape == drawn.shape, "the filter, where no region is known"
