"""What a service is told when it starts: where it listens, whom it lets in, and how much anybody may ask of it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from sightline.core.errors import SettingsError

MEGA = 2**20
_NAME = re.compile(r"[0-9A-Za-z_]([0-9A-Za-z._-]{0,251}[0-9A-Za-z_])?")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Every limit has a default that suits pictures; 0 of a rate means that there is none."""

    host: str = "127.0.0.1"
    port: int = 8000
    reuse_port: bool = False  # another process may listen beside this one, so that it can take over
    tokens: Path | None = None
    hosts: tuple[str, ...] = ()  # names under which it may be called, besides its own
    urls: tuple[str, ...] = ()  # hosts that pictures may be fetched from
    open_health: bool = False  # probes need no token: they learn yes or no, nothing else
    body: int = 16 * MEGA  # bytes of one request
    room: int = 32 * MEGA  # bytes of all requests that are being read
    unsized: int = 8  # of them above 128 KiB that do not say their length
    parts: int = 64  # of a form, and pictures of a request
    head: int = 16 * 1024  # bytes of address and headers
    headers: int = 64
    connections: int = 1024
    head_seconds: float = 10.0  # for address and headers
    pause_seconds: float = 10.0  # between two pieces of a body
    body_seconds: float = 60.0  # for the whole body
    idle_seconds: float = 75.0  # of a connection that asks nothing
    deadline: float = 30.0  # seconds, where the request says none; and the most that it may say
    rate: float = 0.0  # requests a second of one token
    burst: int = 0  # and how many at once; as many as two seconds bring where it is 0
    crowd: int = 8  # requests in hand from which on nobody gets more than twice a fair share
    linger: float = 0.5  # seconds of a drain in which new requests are still taken
    job_workers: int = 1  # processes beside it that work on jobs; 0: whoever runs `sightline jobs run`
    train_workers: int = 1  # processes beside it that train; 0: whoever runs `sightline trainings run`
    train_minutes: float = 60.0  # of one training, at most
    dataset_bytes: int = 2 * 1024 * MEGA  # of the pictures of one data set
    stored_bytes: int = 16 * 1024 * MEGA  # of all that callers have shown
    drain: float = 30.0  # seconds that accepted requests have to finish

    @property
    def near(self) -> bool:
        """Whether only this machine can call it."""
        address = _address(self.host)
        return self.host == "localhost" or (address is not None and address.is_loopback)

    @property
    def names(self) -> frozenset[str]:
        """The names under which it answers; empty where every name is right, since every call needs a token."""
        own = {self.host.strip("[]").lower(), *(name.lower() for name in self.hosts)}
        if own & {"0.0.0.0", "::"} and not self.hosts:  # noqa: S104 - compared, not bound
            return frozenset()
        return frozenset({*own, "localhost", "127.0.0.1", "::1"})

    def check(self) -> None:
        """Refuse what would leave the service open, or unable to answer."""
        if not self.near and self.tokens is None:
            raise SettingsError(
                f"--host {self.host} can be reached from other machines, and there are no tokens. Make some with: "
                "sightline token new --scope infer,read --file tokens.json, then add --token-file tokens.json."
            )
        for option, hosts in {"--allow-urls": self.urls, "--allow-host": self.hosts}.items():
            for name in hosts:
                if not _NAME.fullmatch(name) and _address(name) is None:
                    raise SettingsError(f"{option} {name}: must be a host alone, such as pictures.example.org.")
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"--port {self.port}: must be from 0 to 65535; 0 takes a free one.")
        for name in ("body", "room", "unsized", "parts", "head", "headers", "connections", "deadline", "drain",
                     "train_minutes", "dataset_bytes", "stored_bytes"):  # fmt: skip
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} = {getattr(self, name)}: must be more than 0.")
        for name in ("job_workers", "train_workers"):
            if not 0 <= getattr(self, name) <= 64:
                raise SettingsError(f"{name} = {getattr(self, name)}: must be from 0 to 64.")
        if self.rate < 0 or self.burst < 0:
            raise SettingsError("--rate and --burst are requests a second and at once: 0 for no limit, else more.")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """A host that is written as a number; None where it is a name, or nothing."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
