"""Cameras: a drawn one that films without any hardware, devices that are not there, and many at once."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from sightline.core.data import open_data, open_stream
from sightline.core.errors import InputError, SettingsError, SightlineError
from sightline.sources import camera, drawn


def place(folder: Path) -> str:
    """A camera that ends, for the contract of all sources."""
    return "drawn?count=4&size=32"


def test_a_drawn_camera_films_its_world() -> None:
    with open_stream("camera:drawn?count=5&size=48&seed=3") as stream:
        shots = list(stream)
    world = drawn.dataset("motion", 5, size=48, seed=3)
    assert [shot.number for shot in shots] == list(range(5))
    assert all(np.array_equal(shot.pixels(), sample.pixels()) for shot, sample in zip(shots, world, strict=True))
    assert abs(shots[-1].time - time.time()) < 30
    assert shots[2].attributes["frame"] == 2
    assert shots[2].sample().id == "camera:drawn#000002"


def test_it_keeps_its_rate() -> None:
    begun = time.monotonic()
    with open_stream("camera:drawn?count=6&size=32&rate=25") as stream:
        times = [shot.time for shot in stream]
    assert time.monotonic() - begun >= 5 / 25
    assert np.diff(times).mean() > 0.7 / 25


def test_one_who_is_slow_gets_the_latest_and_hears_how_many_were_lost() -> None:
    with open_stream("camera:drawn?count=40&size=32&rate=400", queue=2) as stream:
        next(stream)
        while stream.taken["camera:drawn"] < 40:
            time.sleep(0.01)
        rest = [shot.number for shot in stream]
    assert rest == [38, 39]
    assert stream.dropped == {"camera:drawn": 37}


def test_many_cameras_at_once_under_names() -> None:
    places = {f"lane {n}": f"camera:drawn?count=4&size=32&seed={n}" for n in range(4)}
    with open_stream(places, drop="block") as stream:
        shots = list(stream)
    assert {shot.source for shot in shots} == set(places)
    assert stream.taken == dict.fromkeys(places, 4)
    prints = {shot.image.fingerprint() for shot in shots}
    assert len(prints) == 16
    with pytest.raises(SettingsError, match="two sources are called 'camera:drawn'"):
        open_stream(["camera:drawn", "camera:drawn"])


def test_one_camera_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    for where, said in (
        ("camera:987", "cameras found"),
        ("camera:/dev/video987", "is not there"),
        ("camera:/dev/null", "is no camera"),
        ("camera:/etc/passwd", "is no camera"),
        ("camera:rtsp://127.0.0.1/a", "is no camera"),
        ("camera:", "is no camera"),
    ):
        with pytest.raises(InputError, match=said):
            open_stream(where)


def test_a_device_that_is_no_camera_is_one_typed_error() -> None:
    pytest.importorskip("av")
    with pytest.raises(InputError, match="/dev/zero") as caught:
        next(camera._filmed(Path("/dev/zero"), camera.Settings(rate=10, width=64, height=48)))
    assert caught.value.code == "missing"


def test_settings_are_checked() -> None:
    for words, said in (
        ("rat=3", "Did you mean 'rate'"),
        ("rate=-1", "0 or more"),
        ("world=moton", "Did you mean 'motion'"),
        ("size=5", "32 to 1024"),
    ):
        with pytest.raises(SightlineError, match=said):
            open_stream(f"camera:drawn?{words}")


def test_a_camera_is_no_data_set_and_a_world_no_stream() -> None:
    with pytest.raises(InputError, match="open_stream"):
        open_data("camera:drawn")
    with pytest.raises(InputError, match="is no stream"):
        open_stream("drawn:parts")
    with pytest.raises(InputError, match="Did you mean 'camera'"):
        open_stream("camra:0")
