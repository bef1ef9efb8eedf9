"""Small versions of benchmarks/reliability/registry.py: kills, power losses, and the same text on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.reliability import registry as suite
from benchmarks.reliability.registry_power import power
from benchmarks.reliability.servers import Server, binaries


def test_nothing_acknowledged_is_lost_by_kills(tmp_path: Path) -> None:
    found = suite.kills(tmp_path, None, loops=2)
    assert not found["broken"], found["shown"]


def test_nothing_acknowledged_is_lost_with_the_power(tmp_path: Path) -> None:
    found = power(tmp_path, states=40, seed=1)
    if "left_out" in found:
        pytest.skip(found["left_out"])
    assert not found["broken"], found["shown"]
    assert found["syncs"] > 50


def test_a_collector_beside_writers_takes_nothing_live(tmp_path: Path) -> None:
    found = suite.damage(tmp_path, None, bits=40, collections=10)
    assert not found["broken"], found["shown"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if binaries() is None:
        pytest.skip("no PostgreSQL is installed")
    with Server() as started:
        yield started


@pytest.mark.slow
def test_postgresql_keeps_the_same_promises(server: Server, tmp_path: Path) -> None:
    for found in (
        suite.kills(tmp_path, server, loops=2),
        suite.numbers(tmp_path, server, versions=24),
        suite.flips(tmp_path, server, moves=20, reads=100),
        suite.damage(tmp_path, server, bits=10, collections=5),
        suite.backups(tmp_path, server, count=1),
    ):
        assert not found["broken"], found


@pytest.mark.slow
def test_steps_are_whole_on_postgresql_too(server: Server, tmp_path: Path) -> None:
    found = suite.steps(tmp_path, server, starts=1, stride=40)
    assert not found["broken"], found["shown"]
    assert found["kills"] > 3
