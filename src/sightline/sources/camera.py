"""Cameras as streams: camera:0 is the first of this machine, camera:drawn films a drawn world without any."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sightline.core import catalog
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.extras import need
from sightline.core.image import ArrayImage
from sightline.core.stream import Feed, Rest, Shot
from sightline.sources._words import given
from sightline.sources.video.reader import picture

PATIENCE = 5.0  # seconds that a device is waited for


@dataclass(frozen=True, slots=True)
class Settings:
    """What the words after `?` may set."""

    rate: float = 0.0  # pictures a second; 0: as the device does, or as fast as they can be drawn
    width: int = 0  # 0: as the device does
    height: int = 0
    count: int = 0  # pictures after which it ends; 0: never
    tries: int = 5  # how often in a row a device that broke off is opened again
    world: str = "motion"  # of a drawn camera, as are the next two
    size: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.rate >= 0 or min(self.width, self.height, self.count, self.tries) < 0:
            raise SettingsError("of a camera: rate, width, height, count and tries are 0 or more.")


def feed(where: str) -> Feed:
    """The pictures of a camera from now on, each with the time at which it came."""
    place, settings = given(where, Settings, "camera")
    if place == "drawn":
        world = catalog.find("sources", "drawn").dataset(
            settings.world, settings.count or 2**40, size=settings.size, seed=settings.seed
        )

        def drawn(rest: Rest) -> Iterator[Shot]:
            return _drawn(world, settings, rest)

        return Feed(f"camera:{place}", drawn, live=True)
    device = _device(place)
    need("av")
    return Feed(f"camera:{place}", lambda rest: _filmed(device, settings), live=True, tries=settings.tries)


def _device(place: str) -> Path:
    path = Path(f"/dev/video{place}" if place.isdigit() else place)
    if not re.fullmatch(r"/dev/video[0-9]{1,3}", str(path)):
        raise InputError("missing", f"camera:{place} is no camera. Give a number, /dev/video0, or drawn.")
    if not path.is_char_device():
        there = ", ".join(sorted(str(device) for device in Path("/dev").glob("video*"))) or "none"
        raise InputError("missing", f"{path} is not there; cameras found: {there}. camera:drawn needs none.")
    return path


def _filmed(device: Path, settings: Settings) -> Iterator[Shot]:
    """Pictures of a device until it breaks off; that it did is an error, since cameras do not end by themselves."""
    av = need("av")
    options = {"framerate": f"{settings.rate:g}"} if settings.rate else {}
    if settings.width and settings.height:
        options["video_size"] = f"{settings.width}x{settings.height}"
    try:
        with av.open(str(device), "r", format="v4l2", options=options, timeout=PATIENCE) as container:
            for number, frame in enumerate(container.decode(video=0), 1):
                yield Shot(ArrayImage(picture(frame, str(device)), str(device)), time.time())
                if number == settings.count:
                    return
    except (av.FFmpegError, OSError) as error:
        raise InputError("missing", f"{device}: {getattr(error, 'strerror', None) or error}.") from error
    raise InputError("truncated", f"{device}: the camera broke off.")


def _drawn(world: Dataset, settings: Settings, rest: Rest) -> Iterator[Shot]:
    begun = time.monotonic()
    for number in itertools.count():
        if settings.count and number >= settings.count:
            return
        if rest(max(0.0, begun + number / settings.rate - time.monotonic()) if settings.rate else 0.0):
            return
        sample = world[number]
        yield Shot(ArrayImage(sample.pixels(), sample.id), time.time(), attributes=sample.attributes)
