"""Pictures by address, where that was switched on: from hosts that are listed, at addresses of the whole internet.

The name is resolved once, every address it has must be public, and the connection is made to one of those very
addresses and looked at again; so neither a redirect nor a name that changes its mind leads inside.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from sightline.core.errors import ServingError

REDIRECTS, SECONDS = 3, 10.0
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PORTS = {"http": 80, "https": 443}
_HEAD = 16 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Place:
    """An address that may be asked."""

    scheme: str
    host: str
    port: int
    target: str


def public(address: Address) -> bool:
    """Whether an address is of the whole internet, also when it is wrapped in another."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None and not public(inner):
            return False
        wrapped = int(address) >> 32
        if wrapped in (0x0064FF9B << 64, 0):  # NAT64; the old way of writing IPv4 in IPv6
            return public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)) and wrapped != 0
    return address.is_global and not address.is_multicast and not address.is_reserved


def place_of(url: str, hosts: frozenset[str]) -> Place:
    """The parts of an address, where everything about it is as expected; else a refusal."""
    if len(url) > 2048 or not url.isascii() or not url.isprintable() or any(letter in url for letter in ' \\"<>^`{|}'):
        raise _refused("is not an address that is fetched")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused("cannot be read") from error
    host = (parts.hostname or "").lower()
    if parts.scheme not in _PORTS or parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise _refused("must begin with http:// or https:// and name no user")
    if port not in (None, _PORTS[parts.scheme]):
        raise _refused("names a port; only the usual one is asked")
    if not _HOST.fullmatch(host) or host not in hosts:
        raise _refused("names a host that this service does not fetch from")
    target = parts.path or "/"
    return Place(parts.scheme, host, _PORTS[parts.scheme], f"{target}?{parts.query}" if parts.query else target)


def _refused(why: str) -> ServingError:
    return ServingError("schema", f"The address of a picture {why}.")


def _failed(why: str) -> ServingError:
    return ServingError("schema", f"The picture could not be fetched: {why}.")


class Fetcher:
    """Fetches pictures from the hosts that it was told."""

    def __init__(self, hosts: tuple[str, ...], most: int, *, allowed: Callable[[Address], bool] = public) -> None:
        self.hosts, self.most, self._allowed = frozenset(host.lower() for host in hosts), most, allowed

    async def __call__(self, url: str) -> bytes:
        try:
            async with asyncio.timeout(SECONDS):
                for _ in range(REDIRECTS + 1):
                    status, headers, body = await self._ask(place_of(url, self.hosts))
                    if status not in (301, 302, 303, 307, 308):
                        break
                    url = urljoin(url, headers.get("location", ""))
                else:
                    raise _failed(f"more than {REDIRECTS} redirects")
        except TimeoutError as error:
            raise _failed(f"it took more than {SECONDS:g} seconds") from error
        except (OSError, EOFError, ssl.SSLError) as error:
            raise _failed("its host does not answer as it should") from error
        if status != 200:
            raise _failed(f"its host answers {status}")
        return body

    async def _ask(self, place: Place) -> tuple[int, dict[str, str], bytes]:
        address = await self._resolved(place)
        secure = ssl.create_default_context() if place.scheme == "https" else None
        name = place.host if secure else None
        reader, writer = await asyncio.open_connection(
            str(address), place.port, ssl=secure, server_hostname=name, limit=_HEAD
        )
        try:
            reached = ipaddress.ip_address(writer.get_extra_info("peername")[0].partition("%")[0])
            if not self._allowed(reached):
                raise _refused("leads to a place that is not public")
            asked = f"GET {place.target} HTTP/1.1\r\nHost: {place.host}\r\nAccept: image/*\r\nUser-Agent: sightline\r\n"
            writer.write(f"{asked}Accept-Encoding: identity\r\nConnection: close\r\n\r\n".encode("ascii"))
            return await self._answer(reader)
        finally:
            writer.close()

    async def _resolved(self, place: Place) -> Address:
        found = await asyncio.get_running_loop().getaddrinfo(place.host, place.port, type=1)
        addresses = [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in found]
        if not addresses or not all(self._allowed(address) for address in addresses):
            raise _refused("leads to a place that is not public")
        return addresses[0]

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
        import httptools

        taken = _Answer(self.most)
        parser = httptools.HttpResponseParser(taken)
        size = 0
        try:
            while not taken.done and (piece := await reader.read(65536)):
                size += len(piece)
                if size > self.most + _HEAD:
                    raise ServingError("body", f"The picture at this address has more than {self.most:,} bytes.")
                parser.feed_data(piece)
        except httptools.HttpParserError as error:
            raise _failed("its host does not speak HTTP") from error
        chunked = "transfer-encoding" in taken.headers
        if not taken.headers or (not taken.done and (chunked or "content-length" in taken.headers)):
            raise _failed("its host stopped in the middle")
        return parser.get_status_code(), taken.headers, b"".join(taken.pieces)


class _Answer:
    """What the parser calls."""

    def __init__(self, most: int) -> None:
        self.most, self.done = most, False
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        self.done = True
