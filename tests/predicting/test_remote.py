"""A service elsewhere, as it should be and as it should not."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from sightline.core.annotations import Labels
from sightline.core.errors import InputError, SettingsError, SightlineError
from sightline.predicting.remote import TOKEN, Remote, Unanswered, read, token_of
from tests.predicting.strange import Answer, names, strange, told

GOOD = names()
LABELS = {"kind": "labels", "names": ["a", "b"], "scores": [0.5, 0.5]}
CERTAIN = {"best": "a", "score": 0.5, "names": ["a"], "level": None, "outlier": None, "why": "", "unsure": False}


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}/models/large"


def test_an_answer_is_read_and_its_connection_kept() -> None:
    with strange(GOOD) as service, Remote(f"{service.address}/", token="sl_secret", seconds=5) as remote:
        for _ in range(3):
            heard = remote.ask(b"picture", {"least": 0.25})
        assert isinstance(heard.answer, Labels)
        assert (heard.answer.best, heard.by) == ("green", "large@7")
        assert heard.decision is not None
        assert heard.decision.best == "green"
        assert (service.connections, service.bodies, remote.sent) == (1, [b"picture"] * 3, 21)
        assert service.targets[0] == "/models/large/predict?least=0.25"
        assert service.headers[0]["authorization"] == "Bearer sl_secret"
        assert service.headers[0]["x-deadline"] == "5"


def test_a_kept_connection_that_was_closed_meanwhile_costs_a_second_try_and_no_answer() -> None:
    with strange(Answer(200, GOOD.body, hangs_up=True)) as service, Remote(service.address) as remote:
        for _ in range(4):
            assert remote.ask(b"picture").by == "large@7"
            time.sleep(0.05)  # until the other side has hung up
        assert (service.connections, len(service.bodies)) == (4, 4)
        assert remote.breaker.failures == 0


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(500, b"oh"), "it answers 500"),
        (Answer(502, b"<html>bad gateway</html>"), "it answers 502"),
        (Answer(504, b'{"error": "No answer in time.", "code": "deadline"}'), r"504 \(deadline: No answer in time\)"),
        (Answer(429, b"{}"), "it answers 429"),
        (Answer(200, b"hello"), "it is not JSON"),
        (Answer(200, b"[1]"), "no answer, model and version"),
        (Answer(200, b"[" * 100_000), "it is not JSON"),
        (told("a cat"), "no answer, model and version"),
        (told({"kind": "rumour"}), "no kind of annotation"),
        (told(LABELS | {"scores": [0.5]}), "2 names but scores"),
        (told(LABELS | {"scores": [0.5, 7]}), "from 0 to 1"),
        (told(LABELS | {"scores": {"dtype": "<f4", "shape": [2], "base64": "AADAfwAAwH8="}}), "numbers that are none"),
        (told(LABELS, {"best": "a"}), "a decision whose score"),
        (told(LABELS, CERTAIN | {"score": 3.0}), "contradicts itself"),
        (told(LABELS, CERTAIN | {"best": "z"}), "contradicts itself"),
        (told(LABELS, CERTAIN | {"unsure": True}), "contradicts itself"),
        (told(LABELS, version="latest"), "no answer, model and version"),
        (Answer(200, GOOD.body, announced=100_000), "ends too early|IncompleteRead"),
        (Answer(200, GOOD.body, trickle=0.05), "no answer within 0.3 s"),
    ],
)
def test_who_answers_badly_three_times_is_let_alone(answer: Answer, why: str) -> None:
    seconds = 0.3 if answer.trickle else 10
    with strange(answer) as service, Remote(service.address, seconds=seconds, rest=60) as remote:
        for _ in range(3):
            assert remote.resting == ""
            with pytest.raises(Unanswered, match=why):
                remote.ask(b"picture")
        with pytest.raises(Unanswered, match=f"left alone, since .*({why})"):
            remote.ask(b"picture")
        assert len(service.bodies) == 3


def test_a_whole_wait_is_bounded_however_slowly_bytes_come() -> None:
    with strange(Answer(200, GOOD.body, trickle=0.1)) as service, Remote(service.address, seconds=0.3) as remote:
        began = time.monotonic()
        with pytest.raises(Unanswered, match=r"no answer within 0.3 s"):
            remote.ask(b"picture")
        assert time.monotonic() - began < 5  # all of its bytes would take four times as long
        service.answer, remote.seconds = GOOD, 10
        assert remote.ask(b"picture").by == "large@7"


def test_nobody_there_is_not_asked_for_each_picture_and_asked_again_after_a_rest() -> None:
    with Remote(nobody(), failures=2, rest=0.5) as remote:
        for _ in range(2):
            with pytest.raises(Unanswered, match=r"[Cc]onnection refused"):
                remote.ask(b"picture")
        assert remote.resting.startswith("left alone, since")
        time.sleep(0.55)
        assert remote.resting == ""
        with pytest.raises(Unanswered, match=r"[Cc]onnection refused"):
            remote.ask(b"picture")
        assert remote.resting


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_is_asked_for_is_kept(status: int) -> None:
    busy = Answer(status, b'{"error": "Too much.", "code": "queue_full"}', {"Retry-After": "1"})
    with strange(lambda number: busy if number == 1 else GOOD) as service, Remote(service.address) as remote:
        with pytest.raises(Unanswered, match="queue_full: Too much"):
            remote.ask(b"picture")
        with pytest.raises(Unanswered, match="left alone"):
            remote.ask(b"picture")
        assert 0 < remote.breaker.wait <= 1
        time.sleep(1.05)
        assert remote.ask(b"picture").by == "large@7"
        assert len(service.bodies) == 2


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_picture_that_is_refused_says_nothing_of_the_next_one(status: int) -> None:
    refused = Answer(status, b'{"error": "Not this one.", "code": "corrupt"}')
    with strange(lambda number: refused if number < 6 else GOOD) as service, Remote(service.address) as remote:
        for _ in range(5):
            with pytest.raises(Unanswered, match=rf"{status} \(corrupt: Not this one\)"):
                remote.ask(b"picture")
        assert remote.ask(b"picture").by == "large@7"


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [(401, "unauthorised", "--token-file"), (403, "forbidden", "scope"), (404, "not_found", "--ask"),
     (308, "settings", "leads elsewhere")],
)  # fmt: skip
def test_what_is_set_up_otherwise_is_an_error_at_once(status: int, code: str, hint: str) -> None:
    elsewhere = Answer(status, b"", {"Location": "http://127.0.0.1:1/models/large/predict"})
    with strange(elsewhere) as service, Remote(service.address, token="sl_secret") as remote:
        with pytest.raises(SightlineError, match=hint) as caught:
            remote.ask(b"picture")
        assert caught.value.code == code
        assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "address",
    ["large", "ftp://host/models/large", "http://host", "http://host/models/", "http://host/models/a/b", "http://",
     "http://host/models/large?which=2", "http://user:sesame@host/models/large", "http://host:many/models/large",
     "http://host/models/lar\nge", "http://user:sesame@host:many/models/large"],
)  # fmt: skip
def test_an_address_that_cannot_be_meant_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="http://host:8000/models/NAME") as caught:
        Remote(address)
    assert "sesame" not in caught.value.message


def test_what_travels_in_the_clear_is_known() -> None:
    clear = {"http://10.0.0.5/models/a": True, "https://10.0.0.5/models/a": False, "http://localhost/models/a": False,
             "http://[::1]:8000/models/a": False}  # fmt: skip
    assert {address: Remote(address).in_the_clear for address in clear} == clear
    assert Remote("https://host/behind/a/proxy/models/a/predict").target == "/behind/a/proxy/models/a/predict"
    assert [Remote(f"{scheme}://host/models/a").port for scheme in ("http", "https")] == [80, 443]


def test_https_asks_for_a_certificate_that_the_system_knows() -> None:
    with strange(GOOD) as service, Remote(service.address.replace("http", "https"), seconds=2) as remote:
        with pytest.raises(Unanswered, match="SSL"):
            remote.ask(b"picture")
        assert service.bodies == []


def test_a_token_comes_from_a_file_or_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    assert token_of(None) == ""
    monkeypatch.setenv(TOKEN, "sl_environment")
    (tmp_path / "token").write_text("sl_file\n")
    assert (token_of(None), token_of(tmp_path / "token")) == ("sl_environment", "sl_file")
    (tmp_path / "hashes.json").write_text(json.dumps([{"id": "a", "hash": "b"}]))
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "odd").write_bytes(b"\xff\xfe")
    for name in ("hashes.json", "empty", "odd", "missing"):
        with pytest.raises(SettingsError, match=name):
            token_of(tmp_path / name)


@pytest.mark.parametrize("plain", [{}, {"answer": LABELS, "model": 3, "version": 1}, {"answer": []}, None, 3, "a"])
def test_a_document_that_is_none_is_refused(plain: Any) -> None:
    with pytest.raises(InputError):
        read(json.dumps(plain).encode())
