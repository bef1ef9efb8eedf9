"""A film opened safely: one demuxer that we chose, bytes only, no protocol and no other file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from sightline.core.errors import InputError
from sightline.core.extras import need
from sightline.core.limits import LIMITS
from sightline.sources._bytes import Bytes
from sightline.sources.video import containers

CODECS = (
    *("h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "libvpx", "libvpx-vp9", "mpeg4", "mpeg2video", "mpeg1video"),
    *("mjpeg", "h263", "msmpeg4", "msmpeg4v2", "ffv1", "prores", "dnxhd", "huffyuv", "ffvhuff", "utvideo", "rawvideo"),
    *("gif", "png", "theora", "wmv1", "wmv2"),
)
LARGEST_PICTURE = LIMITS.values
_DEEP = "gray16le", "rgb48le"
_PLAIN = "gray", "rgb24"


class Tape:
    """Bytes as the file object that a demuxer reads: it can read and seek, and there is nothing else to open."""

    def __init__(self, source: Bytes) -> None:
        self.source, self.place = source, 0

    def read(self, length: int = -1) -> bytes:
        """The next bytes."""
        found = self.source.at(self.place, length if length >= 0 else max(0, self.source.size - self.place))
        self.place += len(found)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.place, os.SEEK_END: self.source.size}[whence]
        self.place = max(0, base + offset)
        return self.place

    def tell(self) -> int:
        """The place."""
        return self.place


@dataclass(frozen=True, slots=True)
class Packet:
    """What the demuxer says of one stored picture."""

    stamp: int | None  # when it is shown, in units of the film
    order: int | None  # when it is decoded, in the same units
    key: bool  # can be decoded without the ones before


class Reader:
    """One pass over a film; seeks back when told."""

    def __init__(self, source: Bytes, name: str = "") -> None:
        self.name = name or source.name
        av = need("av")
        self._wrong: tuple[type[Exception], ...] = (av.FFmpegError, ValueError, OverflowError)
        kind = containers.kind(source)
        options = {
            "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mjpeg,gif",
            "codec_whitelist": ",".join((*CODECS, "aac", "mp3", "opus", "vorbis", "flac", "pcm_s16le", "ac3")),
            "protocol_whitelist": "none",
            "max_pixels": str(LARGEST_PICTURE // 3),
        }
        given: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
        with self._typed():
            self._container = av.open(
                Tape(source), "r", format=kind, options=options, buffer_size=2**17, io_open=self._refuse, **given
            )
        try:
            self._choose()
        except BaseException:
            self.close()
            raise

    def _choose(self) -> None:
        self.stream = self._container.streams.best("video")  # a picture of the cover is none
        if self.stream is None:
            raise InputError("unsupported", f"{self.name}: holds no pictures, only sound or text.")
        context = self.stream.codec_context
        if context is None or context.name not in CODECS:
            named = "of an unknown kind" if context is None else f"packed as {context.name}"
            raise InputError("unsupported", f"{self.name}: pictures {named} are not read. Convert the film to H.264.")
        if context.width * context.height * 3 > LARGEST_PICTURE:
            raise InputError(
                "too_large", f"{self.name}: pictures of {context.width} x {context.height} are beyond the limit."
            )
        if not self.stream.time_base:
            raise InputError("corrupt", f"{self.name}: says nothing of time.")
        context.options = {"err_detect": "explode", "max_pixels": str(LARGEST_PICTURE // 3)}
        self.unit = float(self.stream.time_base)

    def _refuse(self, url: str, flags: int, options: dict[str, Any]) -> NoReturn:
        raise InputError("unsupported", f"{self.name}: asks for another file ({url[:60]!r}); none is opened.")

    @contextlib.contextmanager
    def _typed(self) -> Iterator[None]:
        """The library's errors as ours."""
        try:
            yield
        except InputError:
            raise
        except EOFError as error:
            raise InputError("truncated", f"{self.name}: the film ends before its pictures do.") from error
        except self._wrong as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError("corrupt", f"{self.name}: the film cannot be read ({reason}).") from error

    def packets(self) -> Iterator[Packet]:
        """Every stored picture that is meant to be shown, without decoding any."""
        with self._typed():
            for packet in self._container.demux(self.stream):
                if packet.size and not packet.is_discard:
                    yield Packet(packet.pts, packet.dts, bool(packet.is_keyframe))

    def frames(self) -> Iterator[Any]:
        """Decoded frames from here on, in the order in which they are shown."""
        with self._typed():
            for frame in self._container.decode(self.stream):
                if frame.is_corrupt:
                    raise InputError("corrupt", f"{self.name}: a picture at {self.time(frame)} s is damaged.")
                yield frame

    def time(self, frame: Any) -> str:
        """Where in the film a frame is, for people."""
        return "an unknown time" if frame.pts is None else f"{frame.pts * self.unit:.3f}"

    def seek(self, order: int) -> bool:
        """Go to the picture decoded at this time, or before it; false where the film cannot be sought."""
        with contextlib.suppress(*self._wrong):
            self._container.seek(order, stream=self.stream, backward=True, any_frame=False)
            return True
        return False

    def pixels(self, frame: Any) -> np.ndarray:
        """The picture of a frame."""
        with self._typed():
            return picture(frame, self.name)

    def close(self) -> None:
        """Let go of the film."""
        self._container.close()


def picture(frame: Any, name: str) -> np.ndarray:
    """A frame upright, with its depth: 8 bits or 16, gray or colours; transparency is laid over white."""
    parts = frame.format.components
    if frame.width * frame.height * 3 > LARGEST_PICTURE:
        raise InputError("too_large", f"{name}: a picture of {frame.width} x {frame.height}.")
    deep, gray = max(part.bits for part in parts) > 8, len(parts) == 1 and not frame.format.has_palette
    if any(part.is_alpha for part in parts) or frame.format.has_palette:
        pixels = _over_white(frame.to_ndarray(format="rgba"))
    else:
        pixels = frame.to_ndarray(format=(_DEEP if deep else _PLAIN)[0 if gray else 1])
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns) if turns else pixels)


def _over_white(pixels: np.ndarray) -> np.ndarray:
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
