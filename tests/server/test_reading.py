"""Requests as pictures and options: every way to send one, and every refusal."""

import asyncio
import base64
import json
from typing import Any

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.decisions import Decision
from sightline.core.errors import ServingError
from sightline.server.answering import decided, shortened
from sightline.server.bodies import FEW, LIGHT, Body, Gone, Room
from sightline.server.reading import Options, Question, decoded, options_asked, options_of, query_of, question, tensor


def body_of(data: bytes, room: Room | None = None, most: int = 10_000, step: int = 64, said: int = -1) -> Body:
    pieces = [data[place : place + step] for place in range(0, len(data), step)] or [b""]

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    return Body(receive, most, room or Room(10**6), said)


def ask(data: bytes, kind: str, fetch: Any = None, most: int = 4) -> Question:
    return asyncio.run(question(body_of(data), kind, Options(), most, fetch))


def ask_json(plain: Any, **named: Any) -> Question:
    return ask(json.dumps(plain).encode(), "application/json", **named)


def test_the_same_picture_every_way() -> None:
    picture = bytes(range(256))
    text = base64.b64encode(picture).decode()
    form = b'--x\r\nContent-Disposition: form-data; name="p"; filename="f"\r\n\r\n' + picture + b"\r\n--x--\r\n"
    for found in (
        ask(picture, "image/jpeg"),
        ask(picture, "application/octet-stream"),
        ask(form, "multipart/form-data; boundary=x"),
        ask_json({"picture": text}),
        ask_json({"picture": {"data": text}}),
        ask_json({"pictures": [text]}),
    ):
        assert found.pictures == [picture]


def test_options_of_a_form_and_of_json() -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="least"\r\n\r\n.5\r\n'
        b'--x\r\nContent-Disposition: form-data; name="p"; filename="f"\r\n\r\nabc\r\n--x--\r\n'
    )
    assert ask(form, "multipart/form-data; boundary=x").options == Options(least=0.5)
    plain = {"picture": "QQ==", "which": 3, "level": 0.9, "top": 2, "seed": 7, "deadline": 2, "given": {"a": [1]}}
    wanted = Options(which=3, level=0.9, top=2, seed=7, deadline=2.0, given={"a": [1]})
    assert ask_json(plain).options == wanted
    assert options_of(query_of(b"which=champion&top=4")) == Options(which="champion", top=4)
    assert options_asked(b"which=champion&top=4", (("which", "2"), ("deadline", "3"))) == Options(
        which="champion", top=4, deadline=3.0
    )


def test_numbers_become_pixels_of_their_own_depth() -> None:
    for datatype, dtype in (("UINT8", np.uint8), ("UINT16", np.uint16), ("FP32", np.float32)):
        said = {"shape": [2, 2, 1], "datatype": datatype, "data": [[1, 2], [3, 4]]}
        [pixels] = ask_json({"picture": {"tensor": said}}).pictures
        assert isinstance(pixels, np.ndarray)
        assert pixels.dtype == dtype
        assert pixels.shape == (2, 2, 1)
        assert pixels.ravel().tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "plain",
    [
        {}, [], None, 1, {"picture": 1}, {"picture": "*"}, {"pictures": []}, {"pictures": "QQ=="},
        {"picture": "QQ==", "pictures": ["QQ=="]}, {"picture": "QQ==", "more": 1}, {"picture": "QQ==", "level": 2},
        {"picture": "QQ==", "least": "a"}, {"picture": "QQ==", "least": True}, {"picture": "QQ==", "top": -1},
        {"picture": "QQ==", "top": 1.5}, {"picture": "QQ==", "which": ""}, {"picture": "QQ==", "which": True},
        {"picture": "QQ==", "which": [1]}, {"picture": "QQ==", "deadline": 0}, {"picture": "QQ==", "given": [1]},
        {"picture": {"url": "http://example.org/a.jpg"}}, {"picture": {"path": "/etc/passwd"}},
        {"picture": {"data": "QQ==", "url": "x"}}, {"picture": {"tensor": {"shape": [1], "data": [1]}}},
        {"picture": {"tensor": {"shape": [1], "datatype": "INT8", "data": [1]}}},
        {"picture": {"tensor": {"shape": [2], "datatype": "UINT8", "data": [1]}}},
        {"picture": {"tensor": {"shape": [1], "datatype": "UINT8", "data": [256]}}},
        {"picture": {"tensor": {"shape": [1], "datatype": "UINT8", "data": [-1]}}},
        {"picture": {"tensor": {"shape": [1], "datatype": "UINT8", "data": [1.5]}}},
        {"picture": {"tensor": {"shape": [1], "datatype": "UINT8", "data": ["a"]}}},
        {"picture": {"tensor": {"shape": [1], "datatype": "UINT8", "data": [None]}}},
        {"picture": {"tensor": {"shape": [2], "datatype": "UINT8", "data": [[1], [1, 2]]}}},
        {"picture": {"tensor": {"shape": [10**9, 10**9], "datatype": "UINT8", "data": [1]}}},
        {"picture": {"tensor": {"shape": [0], "datatype": "UINT8", "data": []}}},
        {"picture": {"tensor": {"shape": [True], "datatype": "UINT8", "data": [1]}}},
        {"picture": {"tensor": {"shape": [1], "datatype": "FP32", "data": [10**400]}}},
    ],
)  # fmt: skip
def test_json_that_says_no_picture_is_refused(plain: Any) -> None:
    with pytest.raises(ServingError) as error:
        ask_json(plain)
    assert error.value.code == "schema"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b'{"picture": NaN}', b'{"least": 1e999}'])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ServingError) as error:
        asyncio.run(question(body_of(data, most=10**6), "application/json", Options(), 4, None))
    assert error.value.code == "schema"


@pytest.mark.parametrize("kind", ["", "text/html", "application/xml", "application/x-www-form-urlencoded"])
def test_other_types_are_refused(kind: str) -> None:
    with pytest.raises(ServingError) as error:
        ask(b"x", kind)
    assert error.value.status == 415


@pytest.mark.parametrize(
    "query",
    [b"top=1&top=2", b"colour=red", b"level=nan", b"level=1.5", b"top=1e3", b"%ff=1", b"which=" + b"x" * 65,
     b"&".join(b"a%d=1" % n for n in range(40)), "é=1".encode()],
)  # fmt: skip
def test_queries_that_say_nothing_are_refused(query: bytes) -> None:
    with pytest.raises(ServingError):
        options_of(query_of(query))


def test_more_pictures_than_the_limit_are_refused() -> None:
    with pytest.raises(ServingError) as error:
        ask_json({"pictures": ["QQ=="] * 5})
    assert error.value.status == 413


def test_a_body_stops_at_its_limit_and_gives_its_room_back() -> None:
    room = Room(1000)
    body = body_of(b"x" * 700, room, most=500)
    with pytest.raises(ServingError) as error:
        asyncio.run(body.whole())
    assert error.value.status == 413
    assert room.used <= 500
    body.close()
    assert room.used == 0
    first, second = body_of(b"x" * 700, room), body_of(b"x" * 700, room)
    assert len(asyncio.run(first.whole())) == 700
    with pytest.raises(ServingError) as error:
        asyncio.run(second.whole())
    assert error.value.code == "queue_full"
    first.close()
    second.close()
    assert room.used == 0


def test_large_bodies_leave_room_for_small_ones() -> None:
    room = Room(8 * 2**20)
    room.take(6 * 2**20, 6 * 2**20)
    with pytest.raises(ServingError):
        room.take(1024, 2 * 2**20)
    room.take(2**20, 2**20)


@pytest.mark.parametrize(("count", "in_turns"), [(FEW, False), (12, True)])
def test_many_heavy_bodies_are_read_in_turns_and_light_ones_between_them(count: int, in_turns: bool) -> None:
    """Each piece of the heavy ones takes a moment of everybody's time."""

    async def work() -> int:
        room, read = Room(2**30), list[int]()
        heavy = [body_of(bytes(LIGHT * 8), room, 2**30, LIGHT // 2, said=LIGHT * 8) for _ in range(count)]

        async def whole(place: int, body: Body) -> None:
            async for piece in body.pieces():
                read.append(place)
                await asyncio.sleep(0)
                assert len(piece) == LIGHT // 2
            assert body.size == LIGHT * 8

        reading = [asyncio.create_task(whole(place, body)) for place, body in enumerate(heavy)]
        while room.heavy < count:
            await asyncio.sleep(0)
        before = len(read)
        light = body_of(bytes(1000), room)
        assert len(await light.whole()) == 1000
        for _ in range(20):  # of the loop, as an answer takes
            await asyncio.sleep(0)
        between = len(read) - before
        await asyncio.gather(*reading)
        assert len(read) == 16 * count
        gone = asyncio.create_task(heavy[0]._room.turn())
        await asyncio.sleep(0)
        gone.cancel()
        for body in (*heavy, light):
            body.close()
        assert room.heavy == room.used == 0
        return between

    assert (asyncio.run(work()) <= count + 2 * FEW) == in_turns


def test_few_heavy_bodies_may_hide_how_long_they_are() -> None:
    """Each of them could go on up to its limit; whoever says a length, or sends little, is not among them."""

    async def work() -> None:
        room = Room(2**30, unsized=3)
        endless = [body_of(bytes(LIGHT * 2), room, most=2**30, step=LIGHT) for _ in range(3)]
        for body in endless:
            assert len(await body.whole()) == LIGHT * 2
        another, light = body_of(bytes(LIGHT * 2), room, most=2**30, step=LIGHT), body_of(bytes(LIGHT), room, LIGHT)
        assert len(await light.whole()) == LIGHT
        with pytest.raises(ServingError, match="say Content-Length") as error:
            await another.whole()
        assert (error.value.code, error.value.status) == ("queue_full", 429)
        known = body_of(bytes(LIGHT * 2), room, most=2**30, step=LIGHT, said=LIGHT * 2)
        assert len(await known.whole()) == LIGHT * 2
        endless.pop().close()
        again = body_of(bytes(LIGHT * 2), room, most=2**30, step=LIGHT)
        assert len(await again.whole()) == LIGHT * 2
        for body in (*endless, another, light, known, again):
            body.close()
        assert room.heavy == room.blind == room.used == 0

    asyncio.run(work())


def test_a_caller_who_leaves_is_noticed() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(Gone):
        asyncio.run(Body(receive, 10, Room(10)).whole())


def test_floats_are_held_as_near_as_they_can() -> None:
    assert tensor("FP32", [1], [0.1])[0] == np.float32(0.1)
    with pytest.raises(ServingError):
        tensor("FP32", [1], [1e39])


def test_a_decision_is_written_as_its_own_json() -> None:
    made = Decision("a", 0.75, ("a", "b", "c"), 0.9, 0.5, "may be a, b or c")
    assert decided(made, 0) == made.to_json()
    assert decided(made, 2) == {**made.to_json(), "names": ["a", "b"]}


def test_of_many_names_the_best_are_kept_in_order() -> None:
    chance = np.random.default_rng(0)
    scores = chance.integers(0, 50, 200).astype(np.float32) / 50  # many are equal
    scores[7] = np.nan
    names = tuple(f"n{place}" for place in range(200))
    wanted = np.argsort(-np.nan_to_num(scores, nan=-1.0), kind="stable")
    for top in (1, 5, 199):
        found = shortened(Labels(names, scores), top)
        assert isinstance(found, Labels)
        assert found.scores is not None
        assert found.scores.tolist() == scores[wanted][:top].tolist()
    assert shortened(Labels(names, scores), 0).names == names  # type: ignore[attr-defined]


@pytest.mark.parametrize(("text", "hint"), [("data:image/png;base64,AAAA", "before its comma"), ("AA\nAA", "one line")])
def test_what_is_no_base64_is_told_how_it_is_written(text: str, hint: str) -> None:
    with pytest.raises(ServingError, match=f"not base64.*{hint}"):
        decoded(text)
