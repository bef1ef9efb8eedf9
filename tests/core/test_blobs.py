"""A file is whole and right under the sha256 of its bytes, or it is not there."""

import os
import time
from pathlib import Path

import pytest

from sightline.core import files
from sightline.core.blobs import Blobs
from sightline.core.errors import StorageError


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "new" / "blobs", ".bin")


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_what_is_put_is_read_under_its_hash(blobs: Blobs) -> None:
    assert list(blobs.all()) == []
    addresses = [blobs.put(bytes([number]) * number) for number in range(5)]
    assert addresses[2] == files.digest(b"\x02\x02")
    assert blobs.path(addresses[2]).name == f"{addresses[2]}.bin"
    assert [blobs.read(address) for address in addresses] == [bytes([number]) * number for number in range(5)]
    assert list(blobs.all()) == sorted(addresses)
    assert blobs.size(addresses[4]) == 4
    assert blobs.put(b"\x02\x02") == addresses[2]
    assert [path.name for path in blobs.folder.rglob("*.partial")] == []


@pytest.mark.parametrize("address", ["", "../etc", "A" * 64, "a" * 63, "a" * 65, "/" + "a" * 63])
def test_what_is_no_hash_is_no_path(address: str, blobs: Blobs) -> None:
    with pytest.raises(ValueError, match="sha256"):
        blobs.path(address)


def test_every_changed_byte_is_found_and_mended_by_putting_it_again(blobs: Blobs) -> None:
    data = bytes(range(40))
    address = blobs.put(data)
    path = blobs.path(address)
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert not blobs.sound(address)
        with pytest.raises(StorageError, match=r"is damaged.*Restore a backup"):
            blobs.read(address)
    assert blobs.put(data) == address
    assert blobs.read(address) == data
    assert blobs.sound(address)


def test_a_file_that_is_gone_is_said(blobs: Blobs) -> None:
    address = blobs.put(b"a")
    assert blobs.delete(address) == 1
    assert blobs.delete(address) == 0
    assert not blobs.has(address)
    assert not blobs.sound(address)
    assert blobs.untouched(address) == 0.0
    with pytest.raises(StorageError, match="cannot be read"):
        blobs.read(address)


def test_putting_again_counts_as_touching(blobs: Blobs) -> None:
    address = blobs.put(b"a")
    age(blobs.path(address), 500)
    assert blobs.untouched(address) == pytest.approx(500, abs=5)
    blobs.put(b"a")
    assert blobs.untouched(address) < 5


def test_everything_is_synced_before_the_address_is_answered(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where another process has renamed the file and is not so far as to sync its folder."""
    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    for turn in range(2):
        synced.clear()
        address = blobs.put(b"a")
        folder = str(blobs.path(address).parent)
        wanted = {folder, str(blobs.folder), str(blobs.folder.parent)}
        assert wanted <= set(synced)
        assert any(name.endswith(".partial") for name in synced) == (turn == 0)
        assert synced[-3:] == [folder, str(blobs.folder), str(blobs.folder.parent)]
    synced.clear()
    for number in range(3):
        blobs.put(bytes([number]), settle=False)
    blobs.settle()
    assert synced[-2:] == [str(blobs.folder), str(blobs.folder.parent)]
    assert sum(name.endswith(".partial") for name in synced) == 3


def test_only_old_leftovers_are_swept(blobs: Blobs) -> None:
    address = blobs.put(b"a")
    old, young = (blobs.path(address).with_name(f".{name}.partial") for name in ("old", "young"))
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    age(old, 1000)
    assert blobs.sweep(500) == 1
    assert (old.exists(), young.exists()) == (False, True)
    assert list(blobs.all()) == [address]


def test_a_full_or_forbidden_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="could not write"):
        Blobs(tmp_path / "file" / "blobs").put(b"a")
