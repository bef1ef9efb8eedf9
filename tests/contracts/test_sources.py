"""Every source: lazy, typed, the same whichever way it is asked, and gone without a trace when it is let go.

A source is tried on what `place(folder)` in its own tests (`tests/sources/test_<name>.py`) makes: a small place of its
kind, as the word that a user would write.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import os
import pickle
import threading
import tracemalloc
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import KINDS
from sightline.core.data import open_data, open_stream
from sightline.core.dataset import Dataset
from sightline.core.errors import INPUT_CODES, SettingsError, SightlineError
from sightline.core.sample import Sample
from sightline.core.task import Fit

SOURCES = catalog.names("sources")
MODULES = {name: catalog.find("sources", name) for name in SOURCES}
READ = [name for name, module in MODULES.items() if hasattr(module, "read")]
FEED = [name for name, module in MODULES.items() if hasattr(module, "feed")]
BAD = ["", "no/such/place", "\0", "a\nb", "..", "/dev/null", "?", "#", "*", "?count=x", "://", "x" * 5000, "%00"]


def place(name: str, folder: Path) -> str:
    tests: ModuleType = importlib.import_module(f"tests.sources.test_{name}")
    folder.mkdir(exist_ok=True)
    return f"{name}:{tests.place(folder)}"


def handles() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


@pytest.mark.parametrize("name", SOURCES)
def test_it_reads_or_feeds_from_one_word(name: str) -> None:
    module = MODULES[name]
    assert hasattr(module, "read") or hasattr(module, "feed")
    for verb in ("read", "feed", "sniff"):
        if hasattr(module, verb):
            assert len(inspect.signature(getattr(module, verb)).parameters) == 1


@pytest.mark.parametrize("name", [name for name in SOURCES if hasattr(MODULES[name], "sniff")])
def test_it_looks_at_files_without_falling_over(name: str, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no")
    (tmp_path / "text.mp4").write_text("no")
    (tmp_path / "empty.mp4").write_text("")
    for path in (tmp_path, tmp_path / "gone", *tmp_path.iterdir()):
        fit = MODULES[name].sniff(path)
        assert isinstance(fit, Fit)
        assert fit.why


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("bad", BAD)
def test_a_bad_place_is_one_typed_error(name: str, bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for verb in ("read", "feed"):
        if not hasattr(MODULES[name], verb) or (verb == "feed" and bad == ".."):  # a folder that can be watched
            continue
        with pytest.raises(SightlineError) as caught:
            getattr(MODULES[name], verb)(bad)
        code = caught.value.code
        assert code in INPUT_CODES or code in ("settings", "unknown_name", "ambiguous", "missing_extra")
        assert "\n" not in caught.value.message
        assert len(caught.value.message) < 6000


@pytest.mark.parametrize("name", [name for name in SOURCES if hasattr(MODULES[name], "Settings")])
def test_an_unknown_setting_is_named_with_those_that_are_known(name: str, tmp_path: Path) -> None:
    mark = "#" if name == "store" else "?"
    where = place(name, tmp_path / "place").partition(mark)[0]
    with pytest.raises(SettingsError, match=r"no setting is called '.*nonsense'.*Known: "):
        open_data(f"{where}{mark}nonsense=1") if name in READ else open_stream(f"{where}{mark}nonsense=1")


@pytest.mark.parametrize("name", READ)
def test_a_data_set_is_the_same_whichever_way_it_is_asked(name: str, tmp_path: Path) -> None:
    where = place(name, tmp_path / "place")
    data, again = open_data(where), open_data(where)
    assert isinstance(data, Dataset)
    assert len(data) >= 3
    ids = [sample.id for sample in data]
    assert len(set(ids)) == len(ids)
    assert [data[-1].id, data[1].id, data[1:3][1].id] == [ids[-1], ids[1], ids[2]]
    with pytest.raises(IndexError):
        data[len(data)]
    rows = np.random.default_rng(0).permutation(len(data))[:6].tolist()
    for row in rows:
        one, other = data[row], again[row]
        assert isinstance(one, Sample)
        assert (one.id, one.group, one.split) == (other.id, other.group, other.split)
        pixels = one.pixels()
        assert pixels.ndim in (3, 4)
        assert pixels.dtype in (np.uint8, np.uint16, np.float32)
        assert np.array_equal(pixels, other.pixels())
        assert one.image.fingerprint() == other.image.fingerprint()
        assert isinstance(one.image.encoded(), bytes)
        assert one.image.name
        assert one.truth is None or type(one.truth) in KINDS.values()
    assert len({data[row].image.fingerprint() for row in rows}) == len(rows)


@pytest.mark.parametrize("name", READ)
def test_what_is_said_of_all_at_once_is_what_each_says(name: str, tmp_path: Path) -> None:
    samples = open_data(place(name, tmp_path / "place")).samples
    column = getattr(samples, "column", None)
    if column is None:
        return
    for field in ("id", "truth", "group", "split", "given", "attributes"):
        assert list(column(field)) == [getattr(sample, field) for sample in samples], field
    assert list(column("names")) == [getattr(sample.truth, "names", ()) for sample in samples]
    assert [images[0].name for images in column("images")] == [sample.image.name for sample in samples]


@pytest.mark.parametrize("name", READ)
def test_it_is_bounded_and_leaves_nothing_open(name: str, tmp_path: Path) -> None:
    where = place(name, tmp_path / "place")
    open_data(where)[0].pixels()  # libraries are loaded
    before, threads = handles(), threading.active_count()
    tracemalloc.start()
    data: Any = open_data(where)
    for _ in range(3):
        for sample in data:
            sample.pixels()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 16 * 2**20
    del data, sample
    assert handles() <= before
    assert threading.active_count() <= threads


@pytest.mark.parametrize("name", READ)
def test_its_samples_travel_to_another_process(name: str, tmp_path: Path) -> None:
    sample = open_data(place(name, tmp_path / "place"))[1]
    for image in sample.images:
        assert np.array_equal(pickle.loads(pickle.dumps(image)).read(), image.read())


@pytest.mark.parametrize("name", FEED)
def test_a_stream_numbers_its_shots_and_ends(name: str, tmp_path: Path) -> None:
    where = place(name, tmp_path / "place")
    before, threads = handles(), threading.active_count()
    with open_stream(where, queue=2, drop="block") as stream:
        shots = list(stream)
    assert len(shots) >= 3
    assert [shot.number for shot in shots] == list(range(len(shots)))
    assert len({shot.id for shot in shots}) == len(shots)
    assert sorted(shot.time for shot in shots) == [shot.time for shot in shots]
    for shot in shots:
        sample = shot.sample()
        assert sample.id == shot.id
        assert np.array_equal(sample.pixels(), shot.pixels())
    with open_stream(where, queue=1) as stream:  # left early
        next(stream)
    del stream, shots, shot, sample
    assert threading.active_count() <= threads
    assert handles() <= before
