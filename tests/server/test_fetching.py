"""Addresses: only from listed hosts, only from the whole internet, whatever a name says the second time."""

import asyncio
import ipaddress
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sightline.core.errors import ServingError
from sightline.server import fetching
from sightline.server.fetching import Fetcher, place_of, public

HOSTS = frozenset({"pictures.example.org"})
ADDRESSES = [
    "0.0.0.0", "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:db8::1", "2001::1", "100::1",
]  # fmt: skip
BAD = [
    "http://127.0.0.1/a", "http://0x7f000001/a", "http://2130706433/", "http://0177.0.0.1/", "http://127.1/",
    "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://localhost/", "http://LOCALHOST./", "file:///etc/passwd",
    "gopher://pictures.example.org/", "ftp://pictures.example.org/", "http://pictures.example.org:8080/",
    "http://pictures.example.org:22/", "http://user@pictures.example.org/", "http://pictures.example.org@127.0.0.1/",
    "http://127.0.0.1#@pictures.example.org/", "http://127.0.0.1\\@pictures.example.org/", "//pictures.example.org/",
    "http:///a", "http://", "", "pictures.example.org/a", "http://pictures.example.org.evil.example/",
    "http://evil-pictures.example.org/", "http://pictures.example.org\r\nHost: x/", "http://pictures.example.org/ a",
    "http://①②⑦.⓪.⓪.①/", "http://pictures。example。org/", "http://pictures.example.org\x00/", "http://[::1", "data:,x",
    "http://pictures.example.org:99999/", "jar:http://pictures.example.org!/", "http://%70ictures.example.org/",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_internet_are(address: str) -> None:
    assert public(ipaddress.ip_address(address))


@pytest.mark.parametrize("url", BAD)
def test_what_is_not_listed_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(ServingError) as error:
        place_of(url, HOSTS)
    assert error.value.code == "schema"


def test_what_is_listed_is_taken_apart() -> None:
    found = place_of("https://Pictures.Example.org/a/b.jpg?size=2", HOSTS)
    assert (found.scheme, found.host, found.port, found.target) == (
        "https", "pictures.example.org", 443, "/a/b.jpg?size=2",
    )  # fmt: skip


def test_a_name_that_leads_inside_is_refused_without_a_connection() -> None:
    with pytest.raises(ServingError, match="not public"):
        asyncio.run(Fetcher(("localhost",), 1000)("http://localhost/a.jpg"))


class _Site(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/hop"):
            left = int(self.path[4:])
            self.send_response(302)
            self.send_header("Location", f"/hop{left - 1}" if left else "/a.jpg")
            self.end_headers()
        elif self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/secret")
            self.end_headers()
        elif self.path == "/long":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 100_000)
        elif self.path == "/half":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x")
        else:
            self.send_response(200 if self.path == "/a.jpg" else 404)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"abc")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetcher]:
    """A host on this machine, which only a test may take for one of the internet."""
    with HTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        monkeypatch.setitem(fetching._PORTS, "http", server.server_port)
        yield Fetcher(("localhost",), 5000, allowed=lambda address: address.is_loopback)
        server.shutdown()
        thread.join()


def test_a_picture_is_fetched_through_few_redirects(site: Fetcher) -> None:
    assert asyncio.run(site("http://localhost/a.jpg")) == b"abc"
    assert asyncio.run(site("http://localhost/hop2")) == b"abc"


@pytest.mark.parametrize("path", ["hop3", "away", "long", "half", "missing"])
def test_what_goes_elsewhere_or_on_and_on_is_refused(site: Fetcher, path: str) -> None:
    _Site.asked.clear()
    with pytest.raises(ServingError):
        asyncio.run(site(f"http://localhost/{path}"))
    assert len(_Site.asked) <= fetching.REDIRECTS + 1
