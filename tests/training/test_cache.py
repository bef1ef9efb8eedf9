"""Decoded pictures that are kept: every bit, in bounded room, and never a wrong one."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError, StorageError
from sightline.core.image import ArrayImage, FileImage
from sightline.core.known import remember
from sightline.core.progress import Event
from sightline.core.sample import Sample
from sightline.core.views import Source
from sightline.training import cache as caching
from sightline.training import keeping as keeping_
from sightline.training.cache import Cache, checksum
from sightline.training.keeping import KeptImage, keep, keeping, limit_of

RNG = np.random.default_rng(0)
SHAPES = [((7, 9, 1), "uint16"), ((40, 30, 5), "uint8"), ((33, 65, 3), "float32"), ((3, 8, 9, 2), "uint16")]


def pixels(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    made = RNG.random(shape) * (65535 if dtype == "uint16" else 255)
    made = made.astype(dtype)
    if dtype == "float32":
        made.flat[0], made.flat[1] = np.nan, -0.0
    return made


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pixels"))


@pytest.mark.parametrize(("shape", "dtype"), SHAPES)
def test_every_bit_returns_in_this_process_and_in_the_next(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    given = pixels(shape, dtype)
    cache = Cache(tmp_path, 2**30)
    key = cache.key("print")
    assert cache.get(key) is None
    cache.put(key, given)
    for reader in (cache, Cache(tmp_path, 2**30)):
        got = reader.get(key)
        assert got is not None
        assert (got.dtype, got.shape) == (given.dtype, given.shape)
        assert got.tobytes() == given.tobytes()
        assert not got.flags.writeable
    cache.close()
    again = Cache(tmp_path, 2**30).get(key)
    assert again is not None
    assert again.tobytes() == given.tobytes()
    held = sum(path.stat().st_size for path in segments(tmp_path))
    assert given.nbytes <= held < given.nbytes + 64, "no room is held that is not used"


def test_names_differ_by_content_scale_and_decoder(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 2**30)
    keys = {cache.key("a"), cache.key("a", (4, 5)), cache.key("b")}
    assert len(keys) == 3
    cache.version += " and another"
    assert cache.key("a") not in keys


def test_a_flipped_bit_anywhere_is_noticed_and_the_picture_is_put_anew(tmp_path: Path) -> None:
    given = pixels((61, 83, 3), "uint8")
    first = Cache(tmp_path, 2**30)
    key = first.key("p")
    first.put(key, given)
    first.close()
    (path,) = segments(tmp_path)
    whole = path.read_bytes()
    for place in [0, 1, 4096, given.nbytes - 1, *RNG.integers(given.nbytes, size=20).tolist()]:
        bad = bytearray(whole)
        bad[place] ^= 1 << int(RNG.integers(8))
        path.write_bytes(bad)
        cache = Cache(tmp_path, 2**30)
        assert cache.get(key) is None, place
        assert cache.bad == 1
    cache.put(key, given)
    got = cache.get(key)
    assert got is not None
    assert got.tobytes() == given.tobytes()
    cache.close()
    last = Cache(tmp_path, 2**30).get(key)
    assert last is not None, "the newer entry is found by the next process"
    assert last.tobytes() == given.tobytes()


def test_a_bit_that_flips_while_pictures_are_read_is_noticed_before_long(tmp_path: Path) -> None:
    given = pixels((61, 83, 3), "uint8")
    first = Cache(tmp_path, 2**30)
    first.put(first.key("p"), given)
    first.close()
    (path,) = segments(tmp_path)
    cache = Cache(tmp_path, 2**30)
    key = cache.key("p")
    for _ in range(40):
        got = cache.get(key)
        assert got is not None
        assert got.tobytes() == given.tobytes()
    with path.open("r+b") as file:
        file.seek(500)
        file.write(bytes([int(given.reshape(-1)[500]) ^ 4]))
    reads = next(n for n in range(100) if cache.get(key) is None)
    assert reads < caching._AGAIN
    assert cache.bad == 1
    assert cache.get(key) is None, "it stays out"


def test_misplaced_pages_have_another_checksum() -> None:
    given = pixels((64, 1024, 3), "uint8").reshape(-1)
    swapped = given.copy()
    swapped[:4096], swapped[4096:8192] = given[4096:8192], given[:4096]
    assert checksum(given) != checksum(swapped)
    zero = given.copy()
    zero[8192:12288] = 0
    assert checksum(given) != checksum(zero)


def test_a_torn_index_and_torn_pixels_are_no_pictures(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 2**30)
    keys = [cache.key(str(n)) for n in range(4)]
    for n, key in enumerate(keys):
        cache.put(key, np.full((64, 64, 3), n, np.uint8))
    cache.close()
    (path,) = segments(tmp_path)
    index = path.with_suffix(".index")
    lines = index.read_bytes()
    length = len(lines) // 4
    for cut in range(0, len(lines), 7):
        index.write_bytes(lines[:cut])
        found = Cache(tmp_path, 2**30)
        assert [found.get(key) is not None for key in keys] == [n < cut // length for n in range(4)]
    for place in range(0, length, 5):
        bent = bytearray(lines)
        bent[place] ^= 16
        index.write_bytes(bent)
        found = Cache(tmp_path, 2**30)
        assert found.get(keys[0]) is None
        assert found.get(keys[1]) is not None
    index.write_bytes(lines)
    path.write_bytes(path.read_bytes()[: 2 * 64 * 64 * 3 + 5])
    found = Cache(tmp_path, 2**30)
    assert [found.get(key) is not None for key in keys] == [True, True, False, False]
    index.unlink()
    assert Cache(tmp_path, 2**30).get(keys[0]) is None


def test_room_is_bounded_and_the_longest_unused_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "SEGMENT", 40_000)
    limit = 200_000
    for n in range(3):
        cache = Cache(tmp_path, limit)
        cache.put(cache.key(f"run {n}"), pixels((100, 100, 3), "uint8"))
        cache.close()
        for path in segments(tmp_path):
            if path.stat().st_mtime > 10**9:
                os.utime(path, (1000 + n, 1000 + n))
    cache = Cache(tmp_path, limit)
    assert cache.get(cache.key("run 0")) is not None, "used now, so it stays"
    for n in range(20):
        cache.put(cache.key(f"more {n}"), pixels((100, 100, 3), "uint8"))
        assert sum(path.stat().st_size for path in segments(tmp_path)) <= limit
    assert cache.full, "what this run uses is not thrown out for more of it"
    assert cache.get(cache.key("run 0")) is not None
    assert cache.get(cache.key("run 1")) is None
    assert cache.get(cache.key("more 0")) is not None
    cache.close()


def test_what_another_process_throws_away_stays_readable_here(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 2**30)
    key = cache.key("p")
    given = pixels((50, 50, 3), "uint8")
    cache.put(key, given)
    got = cache.get(key)
    for path in tmp_path.iterdir():
        path.unlink()
    assert got is not None
    assert got.tobytes() == given.tobytes()
    assert cache.get(key) is not None


def test_a_disk_that_fails_is_no_reason_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path, 2**30)

    def fail(*given: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", fail)
    cache.put(cache.key("p"), pixels((50, 50, 3), "uint8"))
    assert cache.full
    assert cache.get(cache.key("p")) is None
    cache.close()
    assert not segments(tmp_path), "an empty segment leaves nothing behind"


def test_threads_share_a_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 2**30)
    wrong: list[int] = []

    def work() -> None:
        for n in range(60):
            key = cache.key(str(n))
            got = cache.get(key)
            if got is None:
                cache.put(key, np.full((30, 31, 3), n, np.uint8))
            elif not (got == n).all():
                wrong.append(n)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(cache.found) == 60
    assert sum(len(segment.entries()) for segment in Cache(tmp_path, 2**30).segments) == 60, "each was kept once"


def folder_of(tmp_path: Path, count: int = 6) -> Dataset:
    inside = tmp_path / "data"
    inside.mkdir(exist_ok=True)
    for n in range(count):
        np.save(inside / f"{n}.npy", pixels((40, 50, 5), "uint16"))
    samples = [Sample(str(n), (FileImage(inside / f"{n}.npy"),), Labels(("a",))) for n in range(count)]
    return remember(Dataset(samples, names=("a",)))


def test_pictures_read_the_same_with_and_without(tmp_path: Path) -> None:
    data = folder_of(tmp_path)
    cache = Cache(tmp_path / "cache", 2**30)
    kept = keep(data, cache)
    for _ in range(2):
        for plain, sample in zip(data, kept, strict=True):
            for at_least in (None, (10, 12), (40, 50)):
                image = sample.image
                assert isinstance(image, KeptImage)
                assert image.read(at_least).tobytes() == plain.image.read().tobytes()
            assert sample.image.fingerprint() == plain.image.fingerprint()
            assert sample.image.encoded() == plain.image.encoded()
            assert sample.image.name == plain.image.name
    stored = {entry.place for entry in cache.found.values()}
    assert len(stored) == 6, "a kind of file that cannot be reduced is kept once, however small it was asked for"
    assert cache.hits >= 18


def test_reduced_pictures_are_kept_as_they_are_decoded(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(pixels((96, 128, 3), "uint8")).save(tmp_path / "p.jpg", quality=90)
    (plain,) = remember(Dataset([Sample("p", (FileImage(tmp_path / "p.jpg"),))]))
    cache = Cache(tmp_path / "cache", 2**30)
    kept = KeptImage(plain.image, cache)
    for at_least in ((96, 128), (48, 60), (40, 64), (12, 16), (1, 1), (49, 64)):
        expected = Source(plain.image).at_least(*at_least)
        for _ in range(2):
            got = kept.read(at_least)
            assert got.shape == expected.shape
            assert got.tobytes() == expected.tobytes()
    assert cache.hits > cache.misses > 0


def test_what_was_read_in_a_hurry_is_kept_beside_what_was_not(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(pixels((96, 128, 3), "uint8")).save(tmp_path / "p.jpg", quality=80, subsampling=2)
    (plain,) = remember(Dataset([Sample("p", (FileImage(tmp_path / "p.jpg"),))]))
    kept = KeptImage(plain.image, Cache(tmp_path / "cache", 2**30))
    for at_least in (None, (96, 128), (48, 64), (10, 10)):
        careful, hurried = (Source(plain.image).at_least(*(at_least or (96, 128)), quick=quick) for quick in (0, 1))
        assert at_least == (10, 10) or careful.tobytes() != hurried.tobytes()
        for _ in range(2):
            assert kept.quick(at_least).tobytes() == hurried.tobytes()
            assert kept.read(at_least).tobytes() == careful.tobytes()


def test_a_picture_that_changes_is_another_picture(tmp_path: Path) -> None:
    data = folder_of(tmp_path, 1)
    cache = Cache(tmp_path / "cache", 2**30)
    before = keep(data, cache)[0].pixels().copy()
    path = tmp_path / "data" / "0.npy"
    np.save(path, pixels((40, 50, 5), "uint16"))
    fresh = remember(Dataset([Sample("0", (FileImage(path),), Labels(("a",)))]))
    after = keep(fresh, cache)[0].pixels()
    assert after.tobytes() == np.load(path).tobytes()
    assert after.tobytes() != before.tobytes()


def test_arrays_and_drawn_pictures_are_not_kept(tmp_path: Path) -> None:
    from sightline.core.data import open_data

    cache = Cache(tmp_path, 2**30)
    array = Dataset([Sample("a", (ArrayImage(pixels((4, 4, 3), "uint8")),))])
    assert isinstance(keep(array, cache)[0].image, ArrayImage)
    drawn = remember(open_data("drawn:shapes?count=4&size=32"))
    assert not isinstance(keep(drawn, cache)[0].image, KeptImage)
    twice = keep(keep(folder_of(tmp_path), cache), cache)
    assert not isinstance(twice[0].image.image, KeptImage)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("setting", "limit"),
    [("auto", None), ("off", 0), ("8GB", 8 * 10**9), ("1.5 gb", 1.5e9), ("500MB", 5 * 10**8), ("2TB", 2 * 10**12)],
)
def test_settings_name_a_size(setting: str, limit: int | None) -> None:
    assert limit_of(setting) == limit


@pytest.mark.parametrize("setting", ["on", "8", "GB", "-1GB", "8 gigs", ""])
def test_a_size_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(SettingsError, match=r"train\.cache = .*write auto, off, or a size"):
        limit_of(setting)


def opened(data: Dataset, setting: str, folder: Path, epochs: int = 3) -> tuple[bool, list[Event]]:
    said: list[Event] = []
    with keeping(setting, [data], epochs=epochs, folder=folder, tell=said.append) as (side,):
        return isinstance(side[0].image, KeptImage), said


def test_it_is_used_where_it_pays_and_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, room = folder_of(tmp_path), tmp_path / "cache"
    assert opened(data, "auto", room) == (True, [])
    assert opened(data, "auto", room, epochs=1)[0] is False, "nothing is read twice"
    assert opened(data, "off", room)[0] is False
    assert opened(data, "1MB", room, epochs=1)[0] is True
    monkeypatch.setattr(keeping_, "_free_memory", lambda: 10_000)
    used, said = opened(data, "auto", room)
    assert not used
    assert "are not kept; --set train.cache=SIZE" in said[0].text


def test_a_folder_that_cannot_be_written_stops_only_who_asked_for_it(tmp_path: Path) -> None:
    data = folder_of(tmp_path)
    (tmp_path / "taken").write_text("a file")
    assert opened(data, "auto", tmp_path / "taken")[0] is False
    with pytest.raises(StorageError, match="could not open the cache"):
        opened(data, "1GB", tmp_path / "taken")
