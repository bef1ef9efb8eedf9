"""The small parts of the engine by themselves."""

import time

import numpy as np
import pytest

from sightline.core.annotations import Annotation, Heatmap, Labels, Objects, Picture, Regions, Text, Value, Vector
from sightline.core.decisions import Decision
from sightline.core.errors import InputError, ServingError
from sightline.serving import routing, wire
from sightline.serving.admission import Admission
from sightline.serving.asking import Ask
from sightline.serving.item import Made
from sightline.serving.memory import Memory
from sightline.serving.strikes import Strikes

RECORDS: list[Annotation] = [
    Labels(("a", "b"), np.array([0.25, 0.75], np.float32), outlier=0.5),
    Labels(("a", "b"), np.array([0.25, 0.75], np.float32)),
    Labels(("c",)),
    Value(("age",), np.array([3.5], np.float32), np.array([3.0], np.float32), np.array([4.0], np.float32)),
    Objects(np.array([[1, 2, 3, 4]], np.float32), np.array([1]), ("a", "b"), np.array([0.5], np.float32)),
    Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ("a", "b"), np.zeros(0, np.float32)),
    Regions(np.arange(6, dtype=np.uint8).reshape(2, 3) % 2, ("a", "b")),
    Heatmap(np.ones((2, 2), np.float32), 0.25),
    Picture(np.arange(24, dtype=np.uint16).reshape(2, 4, 3)),
    Text("größer", 0.5),
    Vector(np.arange(5, dtype=np.float32)),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
@pytest.mark.parametrize("names", [("a", "b"), ("x",), None])
def test_records_cross_the_wire_whole(record: Annotation, names: tuple[str, ...] | None) -> None:
    told, bodies = wire.record_out(record, names)
    made, taken = wire.record_in(told, memoryview(b"".join(bodies) + b"rest"), names or ())
    assert type(made) is type(record)
    assert made.gap(record) == 0
    assert taken == sum(map(len, bodies))


@pytest.mark.parametrize(
    ("dtype", "shape"), [("|O", [1]), ("<f4", [-1]), ("<f4", [2**40]), ("<f4", [1.5]), ("nonsense", [1]), ("<f4", [3])]
)
def test_arrays_that_cannot_be_meant_are_refused(dtype: str, shape: list[int]) -> None:
    with pytest.raises((wire.WireError, TypeError, ValueError)):
        wire.array_in(dtype, shape, memoryview(bytes(8)), 0)


def test_decisions_cross_the_wire_whole() -> None:
    decision = Decision("a", 0.5, ("a", "b"), 0.9, 1.5, "may be a or b")
    assert wire.decision_in(wire.decision_out(decision)) == decision
    assert wire.decision_in(wire.decision_out(None)) is None


def test_a_picture_that_killed_twice_is_refused_until_it_is_forgotten_or_forgiven() -> None:
    made = Strikes(0.1)
    made.add(b"one")
    made.refuse(b"one")
    made.add(b"one")
    made.refuse(b"other")
    with pytest.raises(InputError) as caught:
        made.refuse(b"one")
    assert caught.value.code == "refused"
    time.sleep(0.11)
    made.refuse(b"one")
    made.add(b"two", 2)
    made.forgive(b"two")
    made.refuse(b"two")
    pixels = np.ones((2, 2, 3), np.uint8)
    made.add(pixels, 2)
    with pytest.raises(InputError):
        made.refuse(pixels.copy())


def test_memory_tells_questions_apart_and_stays_within_its_bytes() -> None:
    made = Memory(6000)
    plain = Ask("m", b"x")
    others = [
        Ask("m", b"y"), Ask("m", b"x", level=0.9), Ask("m", b"x", least=0.5), Ask("m", b"x", seed=1),
        Ask("m", b"x", given={"a": 1}), Ask("m", np.frombuffer(b"x", np.uint8)[None, :, None]),
    ]  # fmt: skip
    keys = {made.key(ask, "seal") for ask in (plain, *others)} | {made.key(plain, "other")}
    assert len(keys) == len(others) + 2
    assert made.key(Ask("m", b"x", caller="c", request="r", deadline=5.0), "seal") == made.key(plain, "seal")
    answer = Made(RECORDS[0], None, 0.0, 0.0, 0.0)
    for number in range(10):
        made.put(number, answer)
        made.get(0)
    assert made.held <= 6000
    assert made.get(0) is answer
    assert made.get(1) is None
    made.put("large", Made(Picture(np.zeros((50, 50, 3), np.uint8)), None, 0.0, 0.0, 0.0))
    assert made.get("large") is None


def test_routes_follow_traffic_and_fall_back_on_the_champion() -> None:
    aliases = {"champion": 4, "challenger": 5}
    assert routing.routes(Ask("m", b""), 4, aliases, routing.read(None)) == routing.Routes(4, "champion")
    assert routing.read({"kind": "single", "shares": {"champion": 1.0}}) is None
    split = routing.read({"kind": "split", "shares": {"champion": 0.0, "challenger": 1.0}, "id": "x"})
    assert routing.routes(Ask("m", b"p"), 4, aliases, split) == routing.Routes(5, "challenger", experiment="x.0")
    assert routing.needed(aliases, split) == {5}
    assert routing.routes(Ask("m", b"p"), 4, {"champion": 4}, split).number == 4  # an alias that is gone
    shadow = routing.read({"kind": "shadow", "shares": {"champion": 1.0}, "shadows": ["challenger", "7"]})
    assert routing.routes(Ask("m", b"p"), 4, aliases, shadow).shadows == ((5, "challenger"), (7, "7"))
    assert routing.needed(aliases, shadow) == {5, 7}
    cascade = routing.read({"kind": "cascade", "shares": {"champion": 1.0}, "larger": "challenger", "confidence": 0.8})
    assert routing.routes(Ask("m", b"p"), 4, aliases, cascade).larger == (5, "challenger")
    with pytest.raises(ServingError, match="Aliases: champion, challenger"):
        routing.asked_for("m", "old", aliases)


def test_who_is_let_in_is_learnt_from_those_who_were_late() -> None:
    made = Admission(2.0)
    made.admit(0.05, 0.01, 0.1)
    made.admit(1.9, 0.01, float("inf"))
    for wait, left in ((0.09, 0.1), (2.1, float("inf")), (0.0, 0.001)):
        with pytest.raises(ServingError) as caught:
            made.admit(wait, 0.01, left)
        assert caught.value.code == "queue_full"
        assert caught.value.retry_after
    for _ in range(15):
        made.missed()
    with pytest.raises(ServingError):
        made.admit(0.05, 0.01, 0.1)
    for _ in range(2000):
        made.kept()
    made.admit(0.05, 0.01, 0.1)
