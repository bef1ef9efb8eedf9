"""Callers who send too much, too many or too slowly are told so, soon, and cost the others nothing."""

import contextlib
import json
import socket
import time

import pytest

from sightline.core.encoding import encode
from sightline.server.protocol import head_of

from .conftest import NAMES, Running, coloured, read_all

PREDICT = "POST /models/colours/predict HTTP/1.1\r\nHost: localhost\r\n"


def head(service: Running, *lines: str) -> bytes:
    return (PREDICT + "\r\n".join([f"Authorization: Bearer {service.tokens['all']}", *lines, "", ""])).encode()


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1]) if reply.startswith(b"HTTP/1.1 ") else 0


def test_a_body_that_is_announced_as_too_long_is_refused_unread(service: Running) -> None:
    began = time.monotonic()
    reply = service.raw(head(service, "Content-Type: image/jpeg", "Content-Length: 999999999"))
    assert status(reply) == 413
    assert b'"code":"body"' in reply
    assert time.monotonic() - began < 2.5
    reply = service.raw(head(service, "Content-Type: image/jpeg", "Content-Length: 999", "Expect: 100-continue") + b"x")
    assert reply.startswith(b"HTTP/1.1 100 Continue") or status(reply) == 408


def test_a_body_without_end_is_cut_off(service: Running) -> None:
    sent = head(service, "Content-Type: image/jpeg", "Transfer-Encoding: chunked")
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as held:
        held.sendall(sent)
        total = 0
        try:
            while total < 50_000_000:
                held.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
                total += 0x8000
        except OSError:
            pass
        reply = read_all(held)
    assert total < 50_000_000
    assert reply == b"" or status(reply) == 413  # a reset may overtake what a caller does not stop to read


def test_only_so_many_large_bodies_may_hide_their_length(service: Running) -> None:
    """Two that have come to 160 of at most 300 kB wait to go on; a third is told at once, one that says its end not."""
    lines = ("Content-Type: image/jpeg", "Transfer-Encoding: chunked")
    begun = head(service, *lines) + b"28000\r\n" + b"x" * 0x28000 + b"\r\n"
    with contextlib.ExitStack() as opened:
        for _ in range(2):
            held = opened.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=5))
            held.sendall(begun)
        time.sleep(0.2)
        reply = service.raw(begun)
        assert status(reply) == 429
        assert b"say Content-Length" in reply
        said = head(service, "Content-Type: image/jpeg", f"Content-Length: {0x28000}", "Connection: close")
        assert status(service.raw(said + b"x" * 0x28000)) == 422
    time.sleep(0.1)
    assert status(service.raw(begun)) == 408, "there is room again"


def test_an_answer_comes_in_one_piece_and_the_connection_stays(service: Running) -> None:
    """Two writes would wake whoever waits for it twice."""
    png = encode(coloured("red"))
    asked = head(service, "Content-Type: image/png", f"Content-Length: {len(png)}") + png
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as held:
        for _ in range(30):
            held.sendall(asked)
            above, _, body = held.recv(65536).partition(b"\r\n\r\n")
            assert status(above) == 200
            assert f"content-length: {len(body)}\r\n".encode() in above
            assert json.loads(body)["answer"]["names"][0] in NAMES
        held.sendall(PREDICT.encode())  # the next one has its own time for its head
        assert status(held.recv(65536)) == 408


def test_who_wants_the_connection_closed_has_it_closed(service: Running) -> None:
    png = encode(coloured("red"))
    asked = head(service, "Content-Type: image/png", f"Content-Length: {len(png)}", "Connection: close") + png
    with socket.create_connection(("127.0.0.1", service.port), timeout=2) as held:
        held.sendall(asked)
        answer = held.recv(65536)
        assert status(answer) == 200
        assert b"connection: close\r\n" in answer
        assert held.recv(65536) == b""  # and not after a time


def test_no_header_begins_a_line_of_its_own() -> None:
    assert head_of(200, [(b"x-arm", b"blue")]) == b"HTTP/1.1 200 OK\r\nx-arm: blue\r\n\r\n"
    for value in (b"blue\r\nset-cookie: a=b", b"blue\nset-cookie: a=b", b"blue\r"):
        with pytest.raises(ValueError, match="more than one line"):
            head_of(200, [(b"x-arm", value)])


def test_a_body_in_pieces_and_several_requests_at_once_are_answered_in_turn(service: Running) -> None:
    png, kind = encode(coloured("red")), "Content-Type: image/png"
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as held:
        held.sendall(head(service, kind, f"Content-Length: {len(png)}") + png[:10])
        time.sleep(0.05)
        for start in range(10, len(png), 20):
            held.sendall(png[start : start + 20])
        again = head(service, kind, "Content-Length: 3") + b"bad"
        held.sendall(again + head(service, kind, f"Content-Length: {len(png)}", "Connection: close") + png)
        replies = read_all(held).split(b"HTTP/1.1 ")[1:]
    assert [int(reply[:3]) for reply in replies] == [200, 422, 200]
    for reply in replies:
        top, _, body = reply.partition(b"\r\n\r\n")
        assert f"content-length: {len(body)}".encode() in top
    assert b"connection: close" in replies[-1]
    assert b"connection: close" not in replies[0]


def test_more_parts_than_the_limit(service: Running) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="p"; filename="f"\r\n\r\n\r\n'
    body = part * 2000 + b"--x--\r\n"
    lines = ("Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(body)}", "Connection: close")
    assert status(service.raw(head(service, *lines) + body)) == 413


@pytest.mark.parametrize(
    "data",
    [
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Endless: " + b"a" * 1_000_000,
    ],
    ids=["address", "header", "headers", "endless"],
)
def test_heads_have_an_end(service: Running, data: bytes) -> None:
    try:
        reply = service.raw(data)
    except ConnectionError:
        return  # cut off while sending
    assert status(reply) == 431
    assert b'"code":"headers"' in reply


@pytest.mark.parametrize(
    ("first", "endless"),
    [
        (b"1\r\nx\r\n0\r\n", b"X-More: 1\r\n" * 5000),  # one header after the other
        (b"1\r\nx\r\n0\r\nX-Long: ", b"a" * 0x10000),  # which the parser keeps, and copies whole for every piece
        (b"1;", b"a" * 0x10000),
    ],
    ids=["trailers", "trailer", "extension"],
)
def test_what_is_neither_head_nor_body_has_an_end(service: Running, first: bytes, endless: bytes) -> None:
    total = 0
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as held:
        held.sendall(head(service, "Content-Type: image/jpeg", "Transfer-Encoding: chunked") + first)
        with contextlib.suppress(OSError):
            while total < 20_000_000:
                held.sendall(endless)
                total += len(endless)
        reply = read_all(held)
    assert total < 20_000_000
    assert reply == b"" or status(reply) == 431  # a reset may overtake what a caller does not stop to read


def test_what_comes_after_the_body_is_no_header(service: Running, picture: bytes) -> None:
    sent = (PREDICT + "Content-Type: image/png\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n").encode()
    body = f"{len(picture):x}\r\n".encode() + picture + b"\r\n0\r\n"
    late = f"Authorization: Bearer {service.tokens['all']}\r\n\r\n".encode()
    assert status(service.raw(sent + body + late)) == 401
    early = sent[:-2] + late
    assert status(service.raw(early + body + b"X-Any: 1\r\n\r\n")) == 200


@pytest.mark.parametrize(
    "data",
    [b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET  HTTP/1.1\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_http_is_refused(service: Running, data: bytes) -> None:
    reply = service.raw(data, wait=3)
    assert status(reply) in (400, 403, 408)
    assert b"Traceback" not in reply


def test_a_head_that_trickles_is_cut_off_and_others_do_not_notice(service: Running, picture: bytes) -> None:
    slow = [socket.create_connection(("127.0.0.1", service.port), timeout=5) for _ in range(20)]
    try:
        for held in slow:
            held.sendall(b"POST /models/colours/predict HTTP/1.1\r\nHost:")
        with service.client() as client:
            began = time.monotonic()
            for _ in range(5):
                assert client.post("/models/colours/predict", files={"p": ("a", picture)}).status_code == 200
            assert time.monotonic() - began < 5
        time.sleep(0.7)
        assert {status(read_all(held)) for held in slow} == {408}
    finally:
        for held in slow:
            held.close()


def test_a_body_that_pauses_is_cut_off(service: Running) -> None:
    began = time.monotonic()
    reply = service.raw(head(service, "Content-Type: image/jpeg", "Content-Length: 1000") + b"abc")
    assert status(reply) == 408
    assert b'"code":"slow"' in reply
    assert 0.5 < time.monotonic() - began < 4


def test_connections_beyond_the_limit_are_turned_away(service: Running) -> None:
    held = [socket.create_connection(("127.0.0.1", service.port), timeout=5) for _ in range(40)]
    try:
        assert status(service.raw(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n", wait=3)) == 503
    finally:
        for one in held:
            one.close()
    time.sleep(0.2)
    with service.client() as client:
        assert client.get("/health/live").status_code == 200


def test_requests_in_a_row_on_one_connection_are_answered_in_order(service: Running) -> None:
    token = f"Authorization: Bearer {service.tokens['all']}\r\n".encode()
    one = b"GET /v2 HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: %d\r\n" + token
    data = b"".join(one % n + (b"Connection: close\r\n" if n == 4 else b"") + b"\r\n" for n in range(5))
    reply = service.raw(data)
    assert reply.count(b"HTTP/1.1 200") == 5
    places = [reply.index(b"x-request-id: %d\r\n" % n) for n in range(5)]
    assert places == sorted(places)


def test_after_all_this_nothing_is_held(service: Running) -> None:
    time.sleep(0.3)
    with service.client() as client:
        text = client.get("/metrics").text
        assert "sightline_inflight 1.0" in text
        assert not [line for line in service.lines() if line["event"] == "fault"]
