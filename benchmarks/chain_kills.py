"""Kill `sightline apply` with SIGKILL at random moments and compare with a run that nobody killed.

A thousand drawn pictures, some of them broken, go through a chain of four steps. The killed command is started again
until it is done; then every output and the manifest must be the same bytes, and nothing may be left over. Prints how
many kills there were, what they cost, and what the chain costs beside its steps called bare.

    python benchmarks/chain_kills.py --pictures 1000 --kills 20
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from sightline.applying.apply import apply
from sightline.applying.chain import Chain, one_thread
from sightline.core.data import open_data
from sightline.core.image import encode, read_image, write_image

CHAIN = "gaussian sigma=1.5 | finders.otsu | areas least=40 name=thing | gaussian sigma=0.7"
CLOCK = (".lock", ".journal.jsonl", "seconds.jsonl")  # what depends on the clock


def photos(folder: Path, count: int, size: int) -> None:
    """Drawn pictures in ten folders as PNG; one in a hundred is cut short."""
    for number, sample in enumerate(open_data(f"drawn:street?count={count}&size={size}")):
        path = folder / f"{number % 10}" / f"{number:05}.png"
        write_image(path, sample.pixels())
        if number % 100 == 99:
            path.write_bytes(path.read_bytes()[:200])


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but those of the clock."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name not in CLOCK)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def lines(out: Path) -> int:
    journal = out / ".journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.is_file() else 0


def attempt(words: list[str], out: Path, rng: random.Random, step: int, early: bool) -> bool:
    """One start, killed at a random moment after some pictures (or before any); True where it was killed."""
    begun = lines(out)
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wanted = begun if early else begun + rng.randint(1, step)
    while child.poll() is None and lines(out) < wanted:
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 1.5 if early else 0.05))
    if child.poll() is None:
        child.send_signal(signal.SIGKILL)
    return child.wait() == -signal.SIGKILL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng, room = random.Random(given.seed), Path(tempfile.mkdtemp(prefix="sightline-chains-"))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {commit.stdout.strip()}")
    try:
        photos(room / "in", given.pictures, given.size)
        begun = time.process_time()
        calm = apply(CHAIN, room / "in", room / "calm")
        whole = time.process_time() - begun
        print(f"undisturbed: {calm.count} pictures, {len(calm.failed)} of them broken, {whole:.1f} s of processor")
        out = room / "stormy"
        words = [sys.executable, "-m", "sightline", "apply", CHAIN, str(room / "in"), "--out", str(out), "--quiet"]
        step = max(1, 2 * given.pictures // (given.kills + 1))
        kills = sum(attempt(words, out, rng, step, number % 5 == 4) for number in range(given.kills))
        killed_at = lines(out)
        status = subprocess.run(words, check=False, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
        one, other = contents(room / "calm"), contents(out)
        same = one == other
        again = lines(out) - given.pictures
        print(f"{kills} kills ({killed_at} pictures done before the last start), then continued: status {status}")
        print(f"{len(other)} files, {len(other['manifest.jsonl'].splitlines())} rows in the manifest: "
              f"{'all the same bytes' if same else 'DIFFERENT'}; pictures noted twice: {again}")  # fmt: skip
        cost(room)
        if not same:
            print(sorted(name for name in {*one, *other} if one.get(name) != other.get(name))[:20])
        raise SystemExit(0 if same and kills else 1)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def cost(room: Path) -> None:
    """The folder's way against a bare loop: read, the same functions, encode and write; interleaved, processor time."""
    files = sorted((room / "in" / "0").glob("*.png"))
    chain = Chain.parse(CHAIN)
    bare, ours = 0.0, 0.0
    for turn in range(3):
        begun = time.process_time()
        with one_thread():
            for file in files:
                (room / "bare.png").write_bytes(encode(chain(read_image(file)).pixels))
        bare += time.process_time() - begun
        begun = time.process_time()
        apply(CHAIN, room / "in" / "0", room / f"turn-{turn}")
        ours += time.process_time() - begun
    more = 1000 * (ours - bare) / 3 / len(files)
    print(f"processor time of the folder against a bare loop of the same steps: {ours / bare:.2f} times")
    print(f"{more:.2f} ms a picture for hashes, notes and durable files")


if __name__ == "__main__":
    main()
