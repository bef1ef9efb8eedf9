"""Broken, damaged, cut and murderous pictures through the guarded reader: what becomes of each, how fast, how large.

    python benchmarks/reliability/hostile_pictures.py malformed/ --mutants 20000 --cuts 5000 --crashes 500

The folder (or tar archive) holds files that broke some decoder once; without one, `$SIGHTLINE_DATA/malformed` is
looked for. Goals: no worker dies, 99.9 % of files within 300 ms and all within 2 s, a worker below 512 MB, every
refusal one typed error of at most 15 codes, no file that was cut is returned as complete, and after a real crash the
next picture is read within 500 ms.
"""

from __future__ import annotations

import argparse
import collections
import io
import os
import platform
import random
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fixtures" / "faulty")]

from sightline.core import decoding  # noqa: E402 - after the path
from sightline.core.errors import INPUT_CODES, InputError  # noqa: E402
from sightline.core.guarding import Guard  # noqa: E402
from tests.core.mutator import mutants  # noqa: E402
from tests.decoders import gallery  # noqa: E402

LIBRARIES = ("pillow", "simplejpeg", "tifffile", "imagecodecs", "pi-heif", "rawpy", "numpy")
PILLOW = ("JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP", "PPM", "AVIF", "JPEG2000")
UNTOLD = {"pgm plain", "ppm plain", "pbm plain"}  # numbers in words: a shorter number is a number too


class Ledger:
    """What became of every file, and what it cost."""

    def __init__(self, guard: Guard) -> None:
        guard.protection  # noqa: B018 - waits until it has begun
        self.guard, self.counts = guard, collections.Counter[tuple[str, str]]()
        self.times: list[tuple[float, str]] = []
        self.peak = 0.0

    def read(self, data: bytes, name: str, kind: str | None = None) -> str:
        """One file; answers `read`, or the code of its error."""
        start = time.perf_counter()
        try:
            self.guard.read(data, name)
            code = "read"
        except InputError as error:
            code = error.code if error.code in INPUT_CODES else "ANOTHER"
        self.times.append((time.perf_counter() - start, name))
        self.counts[kind or kind_of(data), code] += 1
        if len(self.times) % 20 == 0 or self.times[-1][0] > 0.02:
            self.weigh()
        return code

    def weigh(self) -> None:
        """The largest that a worker has been, in megabytes."""
        for process in self.guard.processes:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            self.peak = max(self.peak, *(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))

    def show(self, title: str) -> bool:
        """A table by kind and code; whether all goals were met."""
        codes = sorted({code for _, code in self.counts}, key=lambda code: (code != "read", code))
        kinds = sorted({kind for kind, _ in self.counts})
        print(f"\n{title}: {sum(self.counts.values()):,} files, {len(codes) - ('read' in codes)} codes")
        print(f"  {'':12}" + "".join(f"{code:>15}" for code in codes))
        for kind in kinds:
            print(f"  {kind:12}" + "".join(f"{self.counts[kind, code] or '':>15}" for code in codes))
        taken = sorted(self.times)
        late = [taken[min(len(taken) - 1, int(len(taken) * share))][0] * 1000 for share in (0.5, 0.99, 0.999)]
        worst = taken[-1]
        self.weigh()
        print(
            f"  median {late[0]:.2f} ms, 99 % {late[1]:.1f} ms, 99.9 % {late[2]:.1f} ms, "
            f"worst {worst[0] * 1000:.0f} ms ({worst[1]}); "
            f"workers that died {self.guard.deaths}; largest {self.peak:.0f} MB"
        )
        typed = not any(code == "ANOTHER" for _, code in self.counts) and len(codes) <= 16
        return typed and late[2] <= 300 and worst[0] <= 2 and self.peak <= 512 and self.guard.deaths == 0


def kind_of(data: bytes) -> str:
    """What its first bytes say."""
    try:
        return decoding.recognise(data, "")[0]
    except InputError:
        return "none known"


def files_in(place: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a folder, and of the archives in it."""
    paths = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    for path in paths:
        if tarfile.is_tarfile(path) and path.suffix in (".xz", ".gz", ".tar", ".tgz"):
            with tempfile.TemporaryDirectory() as folder, tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
                yield from files_in(Path(folder))
        else:
            yield path.name, path.read_bytes()


def corpus(place: Path) -> bool:
    """The files as they are."""
    with Guard() as guard:
        ledger = Ledger(guard)
        for name, data in files_in(place):
            ledger.read(data, name)
        return ledger.show(str(place.name))


def by_pillow(data: bytes) -> np.ndarray | None:
    """What Pillow alone makes of it: upright, over white; None where it refuses, or would cut bits."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data), formats=PILLOW))
            mode = picture.mode
            if mode in ("P", "PA", "LA", "RGBA") or "transparency" in picture.info:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
            elif mode not in ("1", "L", "RGB", "CMYK"):
                return None
            return np.asarray(picture.convert("RGB")).astype(int)
    except Exception:
        return None


def compared(place: Path) -> bool:
    """Accepted files of 8 bits, ours against Pillow alone: within 1 level, JPEG within 2."""
    alike, apart = 0, []
    for name, data in files_in(place):
        try:
            told = decoding.examine_here(data, name)
            if told["depth"] != "uint8" or told["profile"] or told["channels"] not in (1, 3):
                continue
            pixels = decoding.decode_here(data, name).astype(int)
        except InputError:
            continue
        other = by_pillow(data)
        if other is None:
            continue
        near = pixels.shape[:2] == other.shape[:2] and np.abs(pixels - other).max() <= (
            2 if told["kind"] == "JPEG" else 1
        )
        alike += near
        apart += [] if near else [f"{name}: {'; '.join(told['notes']) or told['kind']}"]
    share = alike / max(1, alike + len(apart))
    print(f"\nagrees with Pillow alone: {alike:,} of {alike + len(apart):,} accepted files of 8 bits, {share:.2%}")
    for line in apart:
        print(f"  apart: {line}")
    return share >= 0.995


def damaged(seeds: list[bytes], count: int) -> bool:
    """Files of every kind with seeded damage."""
    with Guard() as guard:
        ledger = Ledger(guard)
        for number, data in mutants(seeds, count, first=10**6):
            ledger.read(data, f"mutant {number}")
        return ledger.show("damaged")


def cut(count: int) -> bool:
    """Whole files cut at any byte: none of them is a picture any more."""
    chance, complete = random.Random(0), []
    pieces = [(name, piece.data) for name, piece in gallery.pieces() if name not in UNTOLD]
    with Guard() as guard:
        ledger = Ledger(guard)
        for number in range(count):
            name, data = pieces[number % len(pieces)]
            keep = chance.randrange(1, len(data))
            if ledger.read(data[:keep], f"{name} cut at {keep}", kind_of(data)) == "read":
                complete.append(f"{name} at {keep} of {len(data)}")
        met = ledger.show("cut")
    print(f"  returned as complete: {len(complete)} {complete[:5]}")
    return met and not complete


def flipped(count: int) -> bool:
    """Single bits of PNG files."""
    chance, unseen = random.Random(0), 0
    pieces = [piece.data for name, piece in gallery.pieces() if name.startswith(("png", "apng"))]
    for number in range(count):
        data = bytearray(pieces[number % len(pieces)])
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            decoding.decode_here(bytes(data))
            unseen += 1
        except InputError:
            pass
    print(f"\nflipped: {count:,} bits of PNG files, {unseen} unnoticed")
    return unseen == 0


def crashes(count: int) -> bool:
    """Real crashes between good pictures: how long until the next one is read."""
    words, waits, lost = ("abort", "segfault", "exit"), [], 0
    good = gallery.piece("jpeg").data
    with Guard() as guard:
        guard.read(good)
        for number in range(count):
            try:
                guard.read(f"FAULTY!{words[number % len(words)]} {number}".encode())
                lost += 1
            except InputError as error:
                lost += error.code != "crashed"
            start = time.perf_counter()
            lost += guard.read(good).shape != gallery.piece("jpeg").pixels.shape
            waits.append(time.perf_counter() - start)
    waits.sort()
    middle, worst = waits[len(waits) // 2] * 1000, waits[-1] * 1000
    print(
        f"\ncrashes: {count}, {lost} answers wrong; next picture after {middle:.0f} ms (median), {worst:.0f} ms (worst)"
    )
    return lost == 0 and waits[-1] * 1000 <= 500


def place_given(given: Path | None) -> Path | None:
    """The folder that is named, or that of the environment."""
    if given is None and os.environ.get("SIGHTLINE_DATA"):
        given = Path(os.environ["SIGHTLINE_DATA"]) / "malformed"
    return given if given is not None and given.exists() else None


def main(words: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("place", nargs="?", type=Path, help="a folder or a tar archive of broken files")
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--cuts", type=int, default=5_000)
    parser.add_argument("--flips", type=int, default=2_000)
    parser.add_argument("--crashes", type=int, default=500)
    asked = parser.parse_args(None if words is None else list(words))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {commit.stdout.strip()}")
    print(", ".join(f"{name} {version(name)}" for name in LIBRARIES))
    with Guard() as guard:
        print(f"protection: {guard.protection}")
    place, met = place_given(asked.place), True
    if place:
        met &= corpus(place)
        met &= compared(place)
    else:
        print("no folder of broken files: name one, or set SIGHTLINE_DATA; the rest needs none")
    met &= damaged([piece.data for _, piece in gallery.pieces()], asked.mutants) if asked.mutants else True
    met &= cut(asked.cuts) if asked.cuts else True
    met &= flipped(asked.flips) if asked.flips else True
    met &= crashes(asked.crashes) if asked.crashes else True
    print(f"\n{'every goal met' if met else 'a goal was missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
