"""How time and memory grow with the number of samples: 1,000, 10,000, 100,000 and 1,000,000.

    PYTHONPATH=src python benchmarks/growth.py [--most 1000000] [--json out.json]
        [--formats jsonlines,coco,webdataset,csv,audit,cache,train]

Every size and format is measured in a process of its own: open, count, filter, part (copies aside, since that opens
pictures), read a hundred samples, and walk through all of them with what is remembered. A layout that is not installed
is left out with a line. Seconds are of the processor; memory is the most that was held, over that of an empty process.

`audit`, `cache` and `train` are work on pictures, at up to 100,000: a whole audit of a folder of classes, two walks
over a folder through the cache of decoded pictures, and one epoch of learning. `wall` says what a clock says, and
`KB each` how much more memory each further picture took than at the size before: an audit judges labels in parts of
30,000 and compares at most 200,000 pictures, so that it ends at a few hundred bytes a picture.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

SIZES = (1_000, 10_000, 100_000, 1_000_000)
FORMATS = ("jsonlines", "coco", "webdataset", "csv")
WORK = ("audit", "cache", "train")  # done with pictures, at up to MOST of them
MOST = 100_000
WALKED = 100_000  # samples of a walk with everything remembered


def write_jsonlines(folder: Path, count: int, picture: bytes) -> Path:
    (folder / "0.png").write_bytes(picture)
    with (folder / "samples.jsonl").open("w") as file:
        file.write(json.dumps({"sightline": "samples", "version": 1, "kind": "labels"}) + "\n")
        for n in range(count):
            truth = {"kind": "labels", "names": [f"class {n % 10}"]}
            row = {"id": f"photos/{n:07}.jpg", "images": ["0.png"], "truth": truth, "group": f"patient {n // 20}"}
            file.write(json.dumps(row) + "\n")
    return folder


def write_coco(folder: Path, count: int, picture: bytes) -> Path:
    (folder / "0.png").write_bytes(picture)
    images = [{"id": n, "file_name": f"{n:07}.png", "width": 8, "height": 8} for n in range(count)]
    boxes = [
        {"id": n, "image_id": n, "category_id": n % 10 + 1, "bbox": [1, 1, 4, 4], "area": 16, "iscrowd": 0}
        for n in range(count)
    ]
    names = [{"id": n + 1, "name": f"class {n}"} for n in range(10)]
    path = folder / "annotations.json"
    path.write_text(json.dumps({"images": images, "annotations": boxes, "categories": names}))
    return path


def write_webdataset(folder: Path, count: int, picture: bytes) -> Path:
    for shard in range(0, count, 100_000):
        with tarfile.open(folder / f"shard-{shard // 100_000:04}.tar", "w") as file:
            for n in range(shard, min(shard + 100_000, count)):
                for suffix, data in (("png", picture), ("cls", b"%d" % (n % 10))):
                    entry = tarfile.TarInfo(f"{n:07}.{suffix}")
                    entry.size = len(data)
                    file.addfile(entry, io.BytesIO(data))
    return folder


def write_csv(folder: Path, count: int, picture: bytes) -> Path:
    """A row a picture, each of a name of its own; all of them are one file."""
    first = folder
    (folder / "photos").mkdir()
    for n in range(count):
        if n % 50_000 == 0:  # a file takes only so many links
            first = folder / f"one-{n}.png"
            first.write_bytes(picture)
        (folder / "photos" / f"{n:07}.png").hardlink_to(first)
    with (folder / "labels.csv").open("w") as file:
        file.write("file,label,group\n")
        file.writelines(f"photos/{n:07}.png,class {n % 10},patient {n // 20}\n" for n in range(count))
    for path in folder.glob("one*.png"):
        path.unlink()
    return folder


def write_folders(folder: Path, count: int, picture: bytes) -> Path:
    """Pictures of noise in ten shades, each another one."""
    folder = folder / "pictures"
    import numpy as np

    from sightline.core.image import encode

    chance = np.random.default_rng(0)
    for n in range(count):
        place = folder / f"class {n % 10}"
        place.mkdir(parents=True, exist_ok=True)
        pixels = chance.integers(0, 120, (8, 8, 3)).repeat(4, 0).repeat(4, 1) + 12 * (n % 10)
        (place / f"{n:07}.png").write_bytes(encode(pixels.astype(np.uint8)))
    return folder


WRITERS: dict[str, Callable[[Path, int, bytes], Path]] = {
    "jsonlines": write_jsonlines,
    "coco": write_coco,
    "webdataset": write_webdataset,
    "csv": write_csv,
    **dict.fromkeys(WORK, write_folders),
}


def memory() -> float:
    """The most that this process has held, in megabytes; `getrusage` would count what its parent held as well."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1e3


def measured(path: Path, format: str) -> dict[str, float]:
    """What this process spends on one data set."""
    import numpy as np

    if format in WORK:
        return worked(path, format)
    from sightline.core.data import open_data
    from sightline.core.known import remember
    from sightline.core.splitting import split

    def timed(name: str, do: Callable[[], Any]) -> Any:
        begun = time.process_time()
        made = do()
        row[name] = time.process_time() - begun
        return made

    row: dict[str, float] = {}
    before = memory()
    data = timed("open", lambda: open_data(path, format=format))
    row["open MB"] = memory() - before
    timed("count", data.counts)
    timed("filter", lambda: data.where("names", lambda names: any(name.endswith("3") for name in names)))
    parted = timed("split", lambda: split(data, copies=False))
    timed("side", lambda: parted.side("val"))
    some = np.linspace(0, len(data) - 1, 100).astype(int).tolist()
    timed("read 100", lambda: [parted[row] for row in some])
    row["all MB"] = memory() - before
    known = remember(data)
    timed("walk", lambda: sum(len(known[row].images) for row in range(min(WALKED, len(known)))))
    row["walk MB"] = memory() - before
    return row


def worked(path: Path, work: str) -> dict[str, float]:
    """What one piece of work costs in this process; learning has torch loaded before it is weighed."""
    from sightline.auditing.audit import audit
    from sightline.core.data import open_data
    from sightline.training.cache import Cache
    from sightline.training.train import train

    if work == "train":
        import torch  # noqa: F401
    room = path.parent

    def cached() -> None:
        cache = Cache(room / "cache", 2**40)
        for _ in range(2):
            for sample in open_data(path):
                key = cache.key(sample.images[0].fingerprint())
                if cache.get(key) is None:
                    cache.put(key, sample.images[0].read())
        cache.close()

    def learnt() -> None:
        settings = {"epochs": 1, "batch": 64}
        train(path, "classify", out=room / "run", settings=settings)

    do: dict[str, Callable[[], Any]] = {"audit": lambda: audit(path), "cache": cached, "train": learnt}
    before = memory()
    cpu, wall = time.process_time(), time.perf_counter()
    do[work]()
    spent = {"CPU": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    return {**spent, "MB": memory() - before}


def machine() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    parts = f"Python {platform.python_version()}, numpy {version('numpy')}"
    return f"{platform.machine()}, {os.cpu_count()} cores, {parts}, {commit.stdout.strip()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=SIZES[-1])
    parser.add_argument("--formats", default=",".join((*FORMATS, *WORK)))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(Path(given.one[0]), given.one[1])))
        return
    import numpy as np

    from sightline.core import catalog
    from sightline.core.image import encode

    picture = encode(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
    print(machine())
    rows: dict[str, dict[str, Any]] = {}
    for format in given.formats.split(","):
        if format not in (*catalog.names("formats"), *WORK):
            print(f"\n{format}: no such layout here")
            continue
        for count in (size for size in SIZES if size <= (min(given.most, MOST) if format in WORK else given.most)):
            with tempfile.TemporaryDirectory(prefix="sightline-growth-") as room:
                path = WRITERS[format](Path(room), count, picture)
                done = subprocess.run(
                    [sys.executable, __file__, "--one", str(path), format], capture_output=True, text=True, check=False
                )
            if done.returncode:
                print(f"{format} {count:,}: {done.stderr.strip().splitlines()[-1]}")
                break
            row = json.loads(done.stdout)
            if format in WORK:
                before = list(rows.get(format, {}).items())[-1:]
                each = [1e3 * (row["MB"] - was["MB"]) / (count - int(size)) for size, was in before]
                row["KB each"] = sum(each)
            if count == SIZES[0]:
                print(f"\n{format:>12} " + " ".join(f"{name:>9}" for name in row))
            print(f"{count:>12,} " + " ".join(f"{value:9.2f}" for value in row.values()), flush=True)
            rows.setdefault(format, {})[str(count)] = row
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
