"""What every test stands on: one thread a process, no network, no home folder, the same chance on every run."""

import os

# Before numpy or torch start: thread pools are sized once. The Makefile says the same; this serves a bare `pytest`.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.update(
    HF_HUB_OFFLINE="1",
    MPLBACKEND="Agg",
    NO_COLOR="1",
    RAY_USAGE_STATS_ENABLED="0",
    WANDB_MODE="offline",
)

import importlib.util
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.warm.operators import look_up_once

settings.register_profile(
    "house", deadline=None, derandomize=True, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

_connect = socket.socket.connect


def _near_only(self: socket.socket, address: Any) -> None:
    """Offline first: a test that reaches past this machine is wrong."""
    host = address[0] if isinstance(address, tuple) else ""
    if self.family in (socket.AF_INET, socket.AF_INET6) and host != "localhost":
        try:
            near = ipaddress.ip_address(str(host).split("%")[0]).is_loopback
        except ValueError:
            near = False
        if not near:
            raise AssertionError(f"a test tried to reach {host}; Sightline uses no network unless asked")
    _connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def _offline() -> Iterator[None]:
    socket.socket.connect = _near_only  # type: ignore[method-assign, assignment]
    yield
    socket.socket.connect = _connect  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the home folder of whoever runs it."""
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    monkeypatch.delenv("SIGHTLINE_CACHE", raising=False)


_STATUS = Path("/proc/self/status")


def caught() -> list[bool]:
    """Whether this process has something of its own for SIGINT and for SIGTERM, by what the system says."""
    if not _STATUS.is_file():
        return []
    mask = int(_STATUS.read_text().partition("SigCgt:")[2].split()[0], 16)
    return [bool(mask >> number - 1 & 1) for number in (signal.SIGINT, signal.SIGTERM)]


@pytest.fixture(autouse=True)
def _signals_as_found() -> Iterator[None]:
    """A test that leaves signals otherwise than it found them would end another's process without a word."""
    before = caught()
    yield
    assert caught() == before, "what SIGINT or SIGTERM does was changed and not put back"


@pytest.fixture(autouse=True)
def _operators() -> None:
    look_up_once()


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def maker(root: Path) -> Callable[[str], ModuleType]:
    """The script in docs/ that writes a page, by its name."""

    def loaded(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, root / "docs" / f"{name}.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return loaded
