"""What holds of files in a folder holds of objects in a store, and nothing unverified is cached."""

import os
import time
from pathlib import Path

import pytest

from sightline.core.errors import StorageError
from sightline.core.files import digest
from sightline.core.stores import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A folder, spoken to as a store is."""
    return Store(f"file://{tmp_path}/bucket", ".bin", cache=tmp_path / "one")


def other(store: Store, tmp_path: Path) -> Store:
    """The same store, from another machine."""
    return Store(store.url, ".bin", cache=tmp_path / "two")


def lies(store: Store, address: str) -> Path:
    return Path(store.where(address).removeprefix("file://"))


def test_another_machine_finds_what_was_put(tmp_path: Path) -> None:
    one, two = (Store(f"memory://m-{tmp_path.name}/models", ".bin", cache=tmp_path / name) for name in ("one", "two"))
    assert (list(one.all()), one.has("0" * 64), one.bring("0" * 64)) == ([], False, None)
    address = one.put(b"bytes")
    assert address == digest(b"bytes")
    assert list(two.all()) == [address]
    assert (two.has(address), two.size(address), two.sound(address)) == (True, 5, True)
    assert not two.path(address).exists()
    brought = two.bring(address)
    assert brought is not None
    assert brought.read_bytes() == b"bytes"
    assert 0 <= two.untouched(address) < 60
    assert two.delete(address) == 5
    assert two.delete(address) == 0
    assert (one.has(address), list(one.all()), one.untouched(address), two.bring(address)) == (False, [], 0.0, None)


def test_a_damaged_object_is_never_brought(store: Store, tmp_path: Path) -> None:
    address = store.put(b"bytes")
    lies(store, address).write_bytes(b"bytez")
    far = other(store, tmp_path)
    assert not far.sound(address)
    for ask in (far.read, far.bring):
        with pytest.raises(StorageError, match="is damaged"):
            ask(address)
    assert not far.path(address).exists()
    lies(store, address).unlink()
    with pytest.raises(StorageError, match="it is gone"):
        far.read(address)


def test_putting_again_touches_and_mends(store: Store) -> None:
    address = store.put(b"bytes")
    lies(store, address).write_bytes(b"rotten")
    then = time.time() - 500
    os.utime(lies(store, address), (then, then))
    assert store.untouched(address) == pytest.approx(500, abs=5)
    assert store.put(b"bytes") == address
    assert store.untouched(address) < 60
    assert store.sound(address)


def test_a_store_that_is_not_there_is_one_line(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere://bucket"):
        Store("nowhere://bucket")
    (tmp_path / "bucket").write_bytes(b"in the way")
    with pytest.raises(StorageError, match="bucket: "):
        store.put(b"bytes")
