"""A watched folder: each picture once and whole, over half-written files, renames, deletes and kills."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from sightline.core.data import open_data, open_stream
from sightline.core.errors import InputError, RunError, SettingsError
from sightline.core.image import encode
from sightline.core.stream import Stream
from sightline.sources import watch

QUICK = "settle=0.05&every=0.01&patience=0.3&idle=0.4"
SLOWER = QUICK.replace("idle=0.4", "idle=1.5")  # where another thread writes meanwhile


def place(folder: Path) -> str:
    """A small folder, for the contract of all sources."""
    for number in range(4):
        (folder / f"{number}.png").write_bytes(picture(number))
    return f"{folder}?{QUICK}"


def picture(value: int) -> bytes:
    return encode(np.random.default_rng(value).integers(0, 255, (20, 20, 3), np.uint8))


def names(stream: Stream) -> list[str]:
    with stream:
        return [str(shot.attributes["file"]) for shot in stream]


@contextmanager
def meanwhile(*steps: tuple[float, object]) -> Iterator[None]:
    """Do things after so many seconds each, while the body runs."""

    def run() -> None:
        for pause, step in steps:
            time.sleep(pause)
            step()  # type: ignore[operator]

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_what_is_there_and_what_comes_in_the_order_of_writing(tmp_path: Path) -> None:
    for place, name in enumerate(("c.png", "a.png", "deep/b.JPG")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture(place))
        os.utime(tmp_path / name, (1000 + place, 1000 + place))
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.png").write_bytes(picture(1))
    late = tmp_path / "late.png"
    with meanwhile((0.2, lambda: late.write_bytes(picture(9)))), open_stream(f"watch:{tmp_path}?{SLOWER}") as stream:
        shots = list(stream)
    assert [shot.attributes["file"] for shot in shots] == ["c.png", "a.png", "deep/b.JPG", "late.png"]
    assert shots[1].time == 1001.0
    assert shots[1].image.encoded() == picture(1)
    assert np.array_equal(shots[1].sample().pixels(), shots[1].pixels())
    assert shots[1].id.startswith(f"watch:{tmp_path.name}/a.png@")
    assert len({shot.image.fingerprint() for shot in shots}) == 4


def test_a_file_that_grows_is_given_once_and_whole(tmp_path: Path) -> None:
    whole = picture(5)
    place = tmp_path / "slow.png"

    def write(part: bytes) -> object:
        with place.open("ab") as file:
            file.write(part)
        return None

    pieces = [whole[start : start + len(whole) // 6] for start in range(0, len(whole), len(whole) // 6)]
    steps = [(0.12, lambda piece=piece: write(piece)) for piece in pieces]  # each pause longer than the settling
    with meanwhile(*steps), open_stream(f"watch:{tmp_path}?settle=0.05&every=0.01&patience=5&idle=2") as stream:
        shots = list(stream)
    assert [shot.image.encoded() for shot in shots] == [whole]


def test_what_is_written_over_and_over_settles_first(tmp_path: Path) -> None:
    place = tmp_path / "latest.png"
    steps = [(0.05, lambda value=value: place.write_bytes(picture(value))) for value in range(8)]  # each whole
    with meanwhile(*steps), open_stream(f"watch:{tmp_path}?settle=1&every=0.01&idle=1.5") as stream:
        assert [shot.image.encoded() for shot in stream] == [picture(7)]


def test_what_never_becomes_whole_is_given_in_the_end_and_says_why_when_read(tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(picture(1)[:-40])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "good.png").write_bytes(picture(2))
    with open_stream(f"watch:{tmp_path}?{QUICK}") as stream:
        shots = {str(shot.attributes["file"]): shot for shot in stream}
    assert sorted(shots) == ["cut.png", "empty.png", "good.png"]
    for name, code in (("cut.png", "truncated"), ("empty.png", "empty")):
        with pytest.raises(InputError) as caught:
            shots[name].pixels()
        assert caught.value.code == code


def test_renames_are_not_news_and_other_content_is(tmp_path: Path) -> None:
    state = tmp_path / "seen"
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "latest.png").write_bytes(picture(1))
    where = f"watch:{folder}?{QUICK}&remember={state}"
    assert names(open_stream(where)) == ["latest.png"]
    assert names(open_stream(where)) == []
    (folder / "latest.png").rename(folder / "kept.png")
    assert names(open_stream(where)) == []
    (folder / "latest.png").write_bytes(picture(2))
    assert names(open_stream(where)) == ["latest.png"]
    (folder / "latest.png").write_bytes(picture(3))  # written over
    assert names(open_stream(where)) == ["latest.png"]
    (folder / "kept.png").unlink()
    assert names(open_stream(where)) == []


def test_renames_while_it_watches_and_files_that_vanish(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02d}.png").write_bytes(picture(number))
    seen = []
    with open_stream(f"watch:{tmp_path}?{QUICK}", queue=1) as stream:
        for shot in stream:
            seen.append(str(shot.attributes["file"]))
            if len(seen) == 3:
                (tmp_path / "00.png").rename(tmp_path / "zz.png")
                (tmp_path / "19.png").unlink()
    assert seen == [f"{number:02d}.png" for number in range(19)]


def test_temporary_names_and_links_wait_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(picture(1))
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "link.png").symlink_to(outside)
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    (folder / "new.png.part").write_bytes(picture(2))
    with meanwhile((0.1, lambda: (folder / "new.png.part").rename(folder / "new.png"))):
        assert names(open_stream(f"watch:{folder}?{SLOWER}")) == ["new.png"]


def test_a_folder_that_goes_and_comes_back_is_no_news(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "1.png").write_bytes(picture(1))
    away = tmp_path / "away"
    steps = ((0.2, lambda: folder.rename(away)), (0.1, lambda: away.rename(folder)))
    with meanwhile(*steps):
        assert names(open_stream(f"watch:{folder}?{SLOWER}")) == ["1.png"]


def test_work_that_failed_is_given_again(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(picture(number))
    where = f"watch:{tmp_path}?{QUICK}&remember={tmp_path / 'seen'}"
    with contextlib.suppress(KeyError), open_stream(where) as stream:
        next(stream)
        failed = next(stream)
        raise KeyError
    with open_stream(where) as stream:
        again = list(stream)
    assert [shot.attributes["file"] for shot in again] == ["1.png", "2.png"]
    assert again[0].id == failed.id


def test_killed_at_any_moment_it_neither_loses_nor_doubles(tmp_path: Path, root: Path) -> None:
    folder, state, log = tmp_path / "inbox", tmp_path / "seen", tmp_path / "log"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number:03d}.png").write_bytes(picture(number))
    words = [sys.executable, "-m", "tests.sources._watching", str(folder), str(state), str(log)]
    chance = random.Random(4)
    for number in range(60, 64):
        process = subprocess.Popen(words, cwd=root)
        end = time.monotonic() + 60
        before = log.stat().st_size if log.exists() else 0
        while (log.stat().st_size if log.exists() else 0) <= before and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.02)
        process.kill()
        process.wait()
        (folder / f"{number:03d}.png").write_bytes(picture(number))  # comes while nobody watches
    assert subprocess.run(words, cwd=root, timeout=120).returncode == 0
    noted = log.read_text().split()
    assert [line.split("/", 1)[1][:7] for line in noted] == [f"{number:03d}.png" for number in range(64)]
    assert len(state.read_bytes().splitlines()) in (64, 65, 66, 67, 68)


def test_a_state_file_survives_a_line_cut_short_and_refuses_another_kind(tmp_path: Path) -> None:
    state = tmp_path / "seen"
    memory = watch.Memory(state)
    marks = [watch.Mark(f"{n}.png", n, 10, 99) for n in range(3)]
    for mark in marks:
        memory.add(mark)
    with pytest.raises(RunError, match="another watch"):
        watch.Memory(state)
    memory.close()
    whole = state.read_bytes()
    state.write_bytes(whole[:-5])
    memory = watch.Memory(state)
    assert [memory.knows(mark) for mark in marks] == [True, True, False]
    memory.add(marks[2])
    memory.close()
    assert state.read_bytes() == whole
    state.write_text("a shopping list\n")
    with pytest.raises(InputError, match="line 1"):
        watch.Memory(state)


def test_what_is_long_gone_is_forgotten(tmp_path: Path) -> None:
    memory = watch.Memory(tmp_path / "seen")
    old, new = watch.Mark("a.png", 1, 1, 1), watch.Mark("b.png", 2, 2, 2)
    memory.add(old)
    memory._last[old] -= 2 * watch.FORGET
    memory.add(new)
    memory.tidy()
    assert not memory.knows(old)
    assert memory.knows(watch.Mark("renamed.png", 2, 2, 2))
    memory.add(watch.Mark("c.png", 3, 3, 3))
    memory.close()
    assert len((tmp_path / "seen").read_bytes().splitlines()) == 2


def test_settings_and_places_are_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Name a folder"):
        open_stream(f"watch:{tmp_path / 'nowhere'}")
    with pytest.raises(InputError, match="open_stream"):
        open_data(f"watch:{tmp_path}")
    with pytest.raises(SettingsError, match="Did you mean 'settle'"):
        open_stream(f"watch:{tmp_path}?setle=1")
    with pytest.raises(SettingsError, match="every is more than 0"):
        open_stream(f"watch:{tmp_path}?every=0")
    with pytest.raises(SettingsError, match="drops none"):
        open_stream(f"watch:{tmp_path}", drop="newest")
