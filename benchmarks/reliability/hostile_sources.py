"""Damaged films and archives: is every one read or refused by one typed error, how fast, and in how much memory?

    python benchmarks/reliability/hostile_sources.py --rounds 500

Seeded: some bytes of a good file are changed, cut, doubled or swapped. Anything but pictures or a typed error is
printed with its seed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import random
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from pathlib import Path

from sightline.core.data import open_data, open_stream
from sightline.core.errors import SightlineError
from sightline.sources import drawn

FILMS = {
    "a.mp4": ("mp4", "libx264", "yuv420p"),
    "b.mp4": ("mp4", "mpeg4", "yuv420p"),
    "c.mkv": ("matroska", "libx264", "yuv420p"),
    "d.webm": ("webm", "libvpx", "yuv420p"),
    "e.avi": ("avi", "mjpeg", "yuvj420p"),
    "f.ts": ("mpegts", "mpeg2video", "yuv420p"),
    "g.gif": ("gif", "gif", "rgb8"),
}


def good() -> dict[str, bytes]:
    """One good file of every kind."""
    import av

    scenes = drawn.dataset("motion", 8, size=64)
    files: dict[str, bytes] = {}
    for name, (container, codec, pixels) in FILMS.items():
        whole = io.BytesIO()
        with av.open(whole, "w", format=container) as made:
            stream = made.add_stream(codec, rate=25)
            stream.width = stream.height = 64
            stream.pix_fmt = pixels
            for scene in scenes:
                made.mux(stream.encode(av.VideoFrame.from_ndarray(scene.pixels(), "rgb24")))
            made.mux(stream.encode())
        files[name] = whole.getvalue()
    pictures = {f"{number % 2}/{number}.png": scene.image.encoded() for number, scene in enumerate(scenes)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in pictures.items():
            zipped.writestr(name, data)
    files["a.zip"] = packed.getvalue()
    for mode, name in (("w", "a.tar"), ("w:gz", "a.tar.gz"), ("w:xz", "a.tar.xz"), ("w:bz2", "a.tar.bz2")):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode=mode) as tarred:
            for member, data in pictures.items():
                entry = tarfile.TarInfo(member)
                entry.size = len(data)
                tarred.addfile(entry, io.BytesIO(data))
        files[name] = packed.getvalue()
    return files


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """The file with one to eight kinds of harm done to it, more of it to its head, where sizes and names are."""
    harmed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        if not harmed:
            break
        place = chance.randrange(len(harmed) if chance.random() < 0.6 else min(len(harmed), 1024))
        kind = chance.randrange(6)
        if kind == 0:
            harmed[place] = chance.randrange(256)
        elif kind == 1:
            harmed[place] ^= 1 << chance.randrange(8)
        elif kind == 2:
            harmed[place : place + 4] = chance.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\x00\x00\x00\x01"))
        elif kind == 3:
            del harmed[place:]
        elif kind == 4:
            del harmed[place : place + chance.randrange(1, 64)]
        else:
            harmed[place:place] = harmed[place : place + chance.randrange(1, 256)]
    return bytes(harmed)


def main() -> None:
    """Harm, read, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {commit.stdout.strip()}")
    files, wrong, times = good(), 0, []
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="sightline-hostile-") as room:
        for turn in range(given.rounds):
            for name, whole in files.items():
                path = Path(room) / name
                path.write_bytes(spoilt(whole, random.Random(f"{given.seed} {turn} {name}")))
                word = "archive" if "tar" in name or "zip" in name else "video"
                begun = time.process_time()
                try:
                    for sample in open_data(f"{word}:{path}"):
                        sample.pixels()
                    if word == "video":
                        with open_stream(f"video:{path}") as stream:
                            outcomes["shots"] += sum(1 for _ in stream)
                    outcomes["read"] += 1
                except SightlineError as error:
                    outcomes[error.code] += 1
                except Exception:
                    wrong += 1
                    print(f"{name}, seed {given.seed}, round {turn}:")
                    traceback.print_exc(limit=-4, file=sys.stdout)
                times.append((time.process_time() - begun, name, turn))
    times.sort()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    outcomes.pop("shots", None)
    print(f"{len(times):,} files: {dict(outcomes.most_common())}, {wrong} wrong")
    slowest, kind, _ = times[-1]
    print(f"CPU: p99.9 {times[int(len(times) * 0.999)][0] * 1e3:.0f} ms, most {slowest * 1e3:.0f} ms ({kind})")
    print(f"{peak:.0f} MB at the most, the encoders of the good files included")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
