"""One file over http or https, from an address that was looked up once, checked, and connected to as it was checked."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sightline.core.errors import InputError

PATIENCE = 10.0  # seconds without a byte
LONGEST = 60.0  # seconds for the whole
_PIECE = 2**16
_EMBEDDED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 addresses in the last 32 bits
_GONE = (301, 302, 303, 307, 308)


def fetch(url: str, most: int, *, private: bool = False) -> bytes:
    """The bytes at a URL, at most so many. What leads elsewhere is not followed, and says where it leads."""
    parts = _split(url)
    name = f"{parts.scheme}://{parts.netloc}{parts.path}"[:200]
    late = threading.Event()
    try:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or _port(parts))
        connection.sock = _connected(parts, private, name)
        ending = threading.Timer(LONGEST, _end, (connection.sock, late))
        ending.start()
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", path, headers={"User-Agent": "sightline", "Accept-Encoding": "identity"})
            with contextlib.closing(connection.getresponse()) as answer:
                data = _body(answer, name, most)
        finally:
            ending.cancel()
            connection.close()
        if late.is_set():
            raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:  # certificates, time, words that are no HTTP
        code = "truncated" if isinstance(error, http.client.IncompleteRead) else "missing"
        why = f"not here within {LONGEST:.0f} s" if late.is_set() else str(error) or type(error).__name__
        raise InputError(code, f"{name} could not be fetched: {why}.") from error
    return data


def _end(connection: socket.socket, late: threading.Event) -> None:
    """Cut off whoever sends a byte now and then."""
    late.set()
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def public(address: str) -> bool:
    """Whether an address is one of the open internet, and not of this machine, its network, or a way around that."""
    found = ipaddress.ip_address(address.split("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _EMBEDDED:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
    return found.is_global and not found.is_multicast and not found.is_reserved


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - a port that is no number is found when it is asked for
    except ValueError as error:
        raise InputError("missing", f"{url[:200]!r} is no address: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise InputError("missing", f"{url[:200]!r} is no address such as https://host/photo.jpg.")
    return parts


def _port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80


def _connected(parts: SplitResult, private: bool, name: str) -> socket.socket:
    """A connection to the first address of the host, which is the one that was checked and is checked again."""
    port = parts.port or _port(parts)
    rows = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    inside = [str(row[4][0]) for row in rows if not public(str(row[4][0]))]
    if inside and not private:
        raise InputError(
            "unsupported",
            f"{name} leads to {inside[0]}, an address of this machine or its network. If it is meant, end the address "
            "with #private=true",
        )
    connection = _connect(rows[0][0], rows[0][4])
    peer = str(connection.getpeername()[0])
    if not private and not public(peer):
        connection.close()
        raise InputError("unsupported", f"{name} led to {peer}, an address of this machine or its network.")
    if parts.scheme == "http":
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
    except BaseException:
        connection.close()
        raise


def _connect(family: int, address: Any) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(PATIENCE)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def _body(answer: http.client.HTTPResponse, name: str, most: int) -> bytes:
    if answer.status in _GONE:
        where = answer.headers.get("Location", "nowhere")[:200]
        raise InputError("missing", f"{name} has moved to {where!r}. Name that address if it is meant.")
    if answer.status != http.client.OK:
        raise InputError("missing", f"{name}: the server answers {answer.status} {answer.reason}.")
    pieces, length = [], 0
    while piece := answer.read(min(_PIECE, most + 1 - length)):
        pieces.append(piece)
        length += len(piece)
        if length > most:
            raise InputError("too_large", f"{name}: more than {most:,} bytes.")
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(pieces)
