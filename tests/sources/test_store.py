"""Stores and web addresses: read when named on purpose, never otherwise, and no way to the machine's own network."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.data import open_data
from sightline.core.errors import AmbiguousError, InputError, SettingsError, SightlineError
from sightline.core.image import encode
from sightline.sources import _web
from tests.sources._filming import film

fsspec = pytest.importorskip("fsspec")


def place(folder: Path) -> str:
    """A small store, for the contract of all sources."""
    for number in range(4):
        (folder / f"{number}.png").write_bytes(picture(number))
    return f"file://{folder}"


def picture(value: int) -> bytes:
    return encode(np.full((3, 4, 1), value, np.uint8))


@pytest.fixture
def bucket() -> Iterator[str]:
    system = fsspec.filesystem("memory")
    for number, name in enumerate(("b/2.png", "a/1.png", "a/deep/3.png", "b/4.png", "README.md")):
        system.pipe(f"/shop/photos/{name}", picture(number))
    yield "memory://shop/photos"
    system.rm("/shop", recursive=True)


def everything(where: object) -> list[np.ndarray]:
    return [sample.pixels() for sample in open_data(where)]


def refused(where: object, code: str) -> str:
    with pytest.raises(SightlineError) as caught:
        everything(where)
    assert caught.value.code == code, caught.value.message
    return caught.value.message


def test_addresses_are_off_unless_named(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    for where in (
        bucket,
        "s3://bucket/photos",
        "https://host/a.jpg?b=1",
        "http://host/*.jpg",
        "file:///tmp",
        "gs://a/b",
    ):
        assert f"write store:{where}" in refused(where, "unsupported")
    assert "write store:" in refused(Path("s3://bucket/photos"), "unsupported")


def test_pictures_under_an_address(bucket: str) -> None:
    data = open_data(f"store:{bucket}")
    assert [sample.id for sample in data] == ["a/1.png", "a/deep/3.png", "b/2.png", "b/4.png"]
    assert (data.kind, data.names) == (Labels, ("a", "b"))
    assert data[2].image.encoded() == picture(0)
    assert data[-1].image.name == f"{bucket}/b/4.png"
    assert open_data(f"store:{bucket}#labels=none").kind is None
    assert len(open_data(f"store:{bucket}/a/1.png")) == 1
    assert open_data(f"store:{bucket}/a/1.png")[0].pixels().shape == (3, 4, 1)


def test_an_object_that_changed_or_went(bucket: str) -> None:
    data = open_data(f"store:{bucket}")
    system = fsspec.filesystem("memory")
    system.pipe("/shop/photos/a/1.png", picture(1)[:-9])
    system.rm("/shop/photos/b/2.png")
    for row, code in ((0, "truncated"), (2, "missing")):
        with pytest.raises(InputError) as caught:
            data[row].pixels()
        assert caught.value.code == code
    assert data[1].pixels().shape == (3, 4, 1)


def test_archives_and_films_in_a_store(bucket: str) -> None:
    pytest.importorskip("av")
    system = fsspec.filesystem("memory")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("x/1.png", "y/2.png"):
            archive.writestr(name, picture(7))
    system.pipe("/shop/a.zip", packed.getvalue())
    data = open_data("store:memory://shop/a.zip")
    assert (data.names, data[1].image.encoded()) == (("x", "y"), picture(7))
    system.pipe("/shop/a.mp4", film(io.BytesIO(), count=5).getvalue())
    assert len(open_data("store:memory://shop/a.mp4")) == 5


def test_a_store_of_files(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(picture(1))
    (tmp_path / "1.json").write_text("{}")
    with pytest.raises(AmbiguousError, match=r"1 \.json"):
        open_data(f"store:file://{tmp_path}")
    assert len(open_data(f"store:file://{tmp_path}#labels=none")) == 1


def test_what_is_no_store() -> None:
    assert "Did you mean 's3'" in refused("store:s4://bucket", "unknown_name")
    assert "no address" in refused("store:photos", "missing")
    assert "no address" in refused("store:memory://", "missing")
    assert "no address" in refused("store:simplecache::memory://a", "missing")
    assert "FileNotFound" in refused("store:memory://nothing/here", "missing")
    with pytest.raises(SettingsError, match="Did you mean 'labels'"):
        open_data("store:memory://a#label=none")
    if importlib.util.find_spec("s3fs") is None:
        assert "sightline[cloud]" in refused("store:s3://bucket/photos", "missing_extra")


# ----------------------------------------------------------------------------------------------------------------- web


class _Server(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1/secret.png")
            self.end_headers()
            return
        body = picture(9)
        if self.path.startswith("/big"):
            body = bytes(5000)
        self.send_response(404 if self.path.startswith("/gone") else 200)
        length = len(body) + (50 if self.path.startswith("/short") else 0)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.path.startswith("/slow"):
            with contextlib.suppress(OSError):  # the reader has had enough
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.05)
            return
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    _Server.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as serving:
        serving.daemon_threads = True
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_one_picture_from_the_web(server: str) -> None:
    data = open_data(f"store:{server}/photos/a.png?size=3#private=true")
    assert _Server.asked == []  # not before it is read
    assert data[0].id == "a.png"
    assert data[0].image.encoded() == picture(9)
    assert _Server.asked == ["/photos/a.png?size=3"]


def test_the_machine_and_its_network_are_not_reached(server: str) -> None:
    port = server.rpartition(":")[2]
    for host in (
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ):
        code = "unsupported"
        assert "#private=true" in refused(f"store:http://{host}:{port}/a.png", code), host
    assert _Server.asked == []


@pytest.mark.parametrize(
    ("address", "open_to_all"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("64:ff9b::808:808", True),
        *(
            (address, False)
            for address in (
                *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
                *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1%eth0"),
                *("fc00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1"),
            )
        ),
    ],
)
def test_which_addresses_are_open_to_all(address: str, open_to_all: bool) -> None:
    assert _web.public(address) == open_to_all


def test_a_name_is_looked_up_once_and_that_address_is_used(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that first gives a good address and then another has no second turn."""
    asked: list[str] = []

    def answers(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        address = "8.8.8.8" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    reached: list[object] = []

    def connect(family: int, address: object) -> socket.socket:
        reached.append(address)
        raise OSError("stopped here")

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    monkeypatch.setattr(_web, "_connect", connect)
    refused("store:http://rebinding.example/a.png", "missing")
    assert (asked, reached) == (["rebinding.example"], [("8.8.8.8", 80)])


def test_the_connected_address_is_checked_again(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(server.rpartition(":")[2])
    real = _web._connect
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))]
    )
    monkeypatch.setattr(_web, "_connect", lambda family, address: real(family, ("127.0.0.1", port)))
    assert "led to 127.0.0.1" in refused(f"store:http://honest.example:{port}/a.png", "unsupported")
    assert _Server.asked == []


def test_answers_that_are_no_picture(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "has moved to 'http://127.0.0.1/secret.png'" in refused(f"store:{server}/away#private=true", "missing")
    assert "404" in refused(f"store:{server}/gone.png#private=true", "missing")
    refused(f"store:{server}/short.png#private=true", "truncated")
    with pytest.raises(InputError) as caught:
        _web.fetch(f"{server}/big.png", 4999, private=True)
    assert caught.value.code == "too_large"
    monkeypatch.setattr(_web, "LONGEST", 0.3)
    begun = time.monotonic()
    with pytest.raises(InputError, match="not here within"):
        _web.fetch(f"{server}/slow.png", 10**6, private=True)
    assert time.monotonic() - begun < 5
    for where in ("http://user:word@host/a.png", "http://host:x/a.png", "http:///a.png"):
        refused(f"store:{where}", "missing")
    assert "Fetch it first" in refused(f"store:{server}/a.zip", "unsupported")
    with pytest.raises(SettingsError, match="private alone"):
        open_data(f"store:{server}/a.png#labels=none")
