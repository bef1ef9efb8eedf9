"""How fast training is fed: files to normalised float32 batches, beside torchvision, albumentations and timm.

JPEGs of about 500 x 375 and of 1920 x 1280, made once from scikit-image's photographs by seeded warps and noise;
random resized crop to 224, flip, colour jitter of 0.4, normalised. Ours is the loader that training uses, with the
augmentations of the catalog. Pictures of 32 x 32 that lie in memory go through the augmentations that classifying
chooses by itself; what counts there is pictures a second of one core. All other variants take turns in one process,
one torch thread; a peer counts with its better of 0 and 2 workers. CPU is user and system time of the process and its
workers, which moves less than throughput when the machine is busy. Peers that are not installed are said and left out
(they may lie in a folder on PYTHONPATH).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZES = {"small": (375, 500), "large": (1280, 1920)}
BATCH = {"small": 64, "large": 16}
BARS = {  # (size, ours, peer): how many times the peer's throughput
    ("small", "smooth", "torchvision PIL"): 2.5,
    ("small", "smooth", "torchvision tensor"): 1.8,
    ("small", "smooth", "albumentations"): 1.6,
    ("small", "smooth", "timm"): 2.2,
    ("large", "smooth", "torchvision PIL"): 1.75,
    ("small", "fast", "albumentations"): 2.1,
    ("large", "fast", "albumentations"): 1.3,
    ("small", "kept fast", "torchvision PIL"): 8.0,
}
Epoch = Callable[[int], int]  # number of the epoch -> pictures made


def pictures(folder: Path, size: str, count: int) -> list[Path]:
    """The files, those that are there already as they are."""
    import cv2
    from PIL import Image
    from skimage import data

    rows, columns = SIZES[size]
    inside = folder / size
    inside.mkdir(parents=True, exist_ok=True)
    photographs = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket(), data.retina()[200:1200, 200:1200]]
    for index in range(count):
        path = inside / f"{index:05d}.jpg"
        if path.exists():
            continue
        rng = np.random.default_rng([7, index])
        photograph = photographs[index % len(photographs)]
        grow = 1.15 * max(rows / photograph.shape[0], columns / photograph.shape[1])
        matrix = np.eye(2, 3) * grow + np.column_stack([rng.uniform(-0.1, 0.1, (2, 2)) * grow, np.zeros(2)])
        matrix[:, 2] = np.array([columns, rows]) / 2 - matrix[:, :2] @ (np.array(photograph.shape[1::-1]) / 2)
        border = cv2.BORDER_REFLECT
        warped = cv2.warpAffine(photograph, matrix, (columns, rows), flags=cv2.INTER_CUBIC, borderMode=border)
        noisy = np.clip(warped + rng.normal(0, 3, warped.shape), 0, 255).astype(np.uint8)
        part = path.with_suffix(".partial")
        Image.fromarray(noisy).save(part, "JPEG", quality=90)
        part.replace(path)
    return [inside / f"{index:05d}.jpg" for index in range(count)]


def ours(files: Sequence[Path], batch: int, workers: int, way: str, cache: Any = None) -> Epoch:
    """The loader of training."""
    from sightline.core import catalog
    from sightline.core.annotations import Labels
    from sightline.core.dataset import Dataset
    from sightline.core.image import FileImage
    from sightline.core.inputs import InputSpec
    from sightline.core.known import remember
    from sightline.core.recipe import apply, parse
    from sightline.core.sample import Sample
    from sightline.core.task import Facts
    from sightline.training.keeping import keep
    from sightline.training.loader import Loader

    samples = [Sample(path.stem, (FileImage(path),), Labels(("picture",))) for path in files]
    data = remember(Dataset(samples, names=("picture",), kind=Labels))
    data = data if cache is None else keep(data, cache)
    spec = InputSpec((224, 224), 3, mean=MEAN, std=STD, resample=way)
    jitter = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.0}
    recipe = (("window", {"size": (224, 224)}), ("flip", {}), ("colour", jitter))
    loader = Loader(
        catalog.find("tasks", "classify").TASK,
        Facts({"image": spec}, ("picture",)),
        data,
        0,
        partial(apply, parse(recipe)),
        workers,
        floats=True,
    )

    def epoch(number: int) -> int:
        rows = np.random.default_rng(number).permutation(len(files)).tolist()
        plan = [rows[first : first + batch] for first in range(0, len(rows), batch)]
        count = 0
        for made in loader.batches(number, plan, set()):
            assert not made.bad, made.bad
            assert made.arrays["image"].dtype == np.float32
            count += len(made.rows)
        return count

    return epoch


class Files:
    """A torch data set of files through one function."""

    def __init__(self, files: Sequence[Path], read: Callable[[str], Any]) -> None:
        self.files, self.read = [str(path) for path in files], read

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.read(self.files[index]), 0


def _alone(worker: int) -> None:
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def peer(files: Sequence[Path], batch: int, workers: int, read: Callable[[str], Any]) -> Epoch:
    """A peer's transform in torch's own loader, whose workers stay."""
    import torch

    loader = torch.utils.data.DataLoader(
        Files(files, read),  # type: ignore[arg-type]
        batch,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=_alone,
    )

    def epoch(number: int) -> int:
        return sum(len(made) for made, _ in loader)

    return epoch


def torchvision_pil() -> Callable[[str], Any]:
    import torch
    from torchvision.transforms import v2

    return partial(_pil, _torchvision(v2, torch, [v2.ToImage()]))


def torchvision_tensor() -> Callable[[str], Any]:
    import torch
    from torchvision.io import ImageReadMode, decode_image
    from torchvision.transforms import v2

    return partial(_tensor, decode_image, ImageReadMode.RGB, _torchvision(v2, torch, []))


def _torchvision(v2: Any, torch: Any, middle: list[Any]) -> Any:
    return v2.Compose(
        [
            v2.RandomResizedCrop(224, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(0.4, 0.4, 0.4),
            *middle,
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )


def albumentations_() -> Callable[[str], Any]:
    import albumentations as A
    from albumentations.pytorch import ToTensorV2

    return partial(
        _cv2,
        A.Compose(
            [
                A.RandomResizedCrop(size=(224, 224)),
                A.HorizontalFlip(p=0.5),
                A.ColorJitter(0.4, 0.4, 0.4, 0, p=1),
                A.Normalize(MEAN, STD),
                ToTensorV2(),
            ]
        ),
    )


def timm_() -> Callable[[str], Any]:
    from timm.data import create_transform

    given = {"color_jitter": 0.4, "auto_augment": None, "interpolation": "bilinear", "mean": MEAN, "std": STD}
    return partial(_pil, create_transform(224, is_training=True, **given))


def _pil(change: Any, path: str) -> Any:
    from PIL import Image

    with Image.open(path) as opened:
        return change(opened.convert("RGB"))


def _tensor(decode: Any, mode: Any, change: Any, path: str) -> Any:
    return change(decode(path, mode=mode))


def _cv2(change: Any, path: str) -> Any:
    import cv2

    return change(image=cv2.imread(path, cv2.IMREAD_COLOR_RGB))["image"]


PEERS = {
    "torchvision PIL": torchvision_pil,
    "torchvision tensor": torchvision_tensor,
    "albumentations": albumentations_,
    "timm": timm_,
}


def spent() -> float:
    """CPU seconds of this process, of its children that ended, and of those that run."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    total = own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
    tick = os.sysconf("SC_CLK_TCK")
    for task in Path("/proc/self/task").glob("*/children"):
        for child in task.read_text().split():
            try:
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += (int(fields[11]) + int(fields[12])) / tick
    return total


def first_batch(files: Sequence[Path]) -> float:
    """Milliseconds from asking for batches of 64 to having the first."""
    waited, epoch = [], ours(files[:64], 64, 2, "smooth")
    epoch(0)
    for number in range(1, 6):
        begun = time.perf_counter()
        epoch(number)
        waited.append(time.perf_counter() - begun)
    return 1000 * statistics.median(waited)


def tiny(count: int = 4096, workers: int = 2) -> float:
    """Pictures of 32 x 32 a second of CPU time, with the augmentations that the task itself chooses."""
    from sightline.core import catalog
    from sightline.core.annotations import Labels
    from sightline.core.dataset import Dataset
    from sightline.core.image import ArrayImage
    from sightline.core.known import remember
    from sightline.core.sample import Sample
    from sightline.training.loader import Loader, mover
    from sightline.training.settings import Settings

    names = tuple("abcdefghij")
    pixels = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)
    samples = [Sample(str(n), (ArrayImage(each),), Labels((names[n % 10],))) for n, each in enumerate(pixels)]
    data = remember(Dataset(samples, names=names, kind=Labels))
    task = catalog.find("tasks", "classify").TASK
    facts = task.prepare(data, task.Options(), "small")
    loader = Loader(task, facts, data, 0, mover(task, facts, Settings()), workers)
    costs = []
    for epoch in range(6):
        plan = [list(range(first, min(first + 128, count))) for first in range(0, count, 128)]
        before = time.process_time()
        made = sum(len(batch.rows) for batch in loader.batches(epoch, plan, set()))
        costs.append((time.process_time() - before) / made)
    return 1 / statistics.median(costs[1:])


def compare(
    size: str, files: Sequence[Path], rounds: int, cache: Any, only: Sequence[str], tell: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """Throughput and CPU of every variant, medians over rounds in which all take turns."""
    batch = BATCH[size]
    variants: dict[str, Epoch] = {}
    for way in ("smooth", "fast"):
        variants[f"ours {way}, 2 threads"] = ours(files, batch, 2, way)
        variants[f"ours {way}, 1 thread"] = ours(files, batch, 0, way)
    if cache is not None:
        for way in ("smooth", "fast"):
            variants[f"ours kept {way}, 2 threads"] = ours(files, batch, 2, way, cache)
    for name, make in PEERS.items():
        if only and name not in only:
            continue
        try:
            read = make()
        except ImportError as error:
            tell(f"{name} is left out: {error}")
            continue
        for workers in (0, 2):
            variants[f"{name}, {workers} workers"] = peer(files, batch, workers, read)
    for epoch in variants.values():
        epoch(0)
    if cache is not None:
        for number in range(1, 4):
            variants["ours kept smooth, 2 threads"](number)
    rates: dict[str, list[float]] = {name: [] for name in variants}
    costs: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(rounds):
        for name in list(variants)[:: 1 if turn % 2 else -1]:
            before, begun = spent(), time.perf_counter()
            count = variants[name](turn + 10)
            rates[name].append(count / (time.perf_counter() - begun))
            costs[name].append(1000 * (spent() - before) / count)
    return {name: {"rate": statistics.median(rates[name]), "cpu": statistics.median(costs[name])} for name in variants}


def show(size: str, rows: dict[str, dict[str, float]]) -> None:
    """The table and the bars."""
    print(f"\n{size}: {SIZES[size][1]} x {SIZES[size][0]}")
    base = max((row["rate"] for name, row in rows.items() if name.startswith("torchvision PIL")), default=float("nan"))
    for name, row in sorted(rows.items(), key=lambda pair: -pair[1]["rate"]):
        print(
            f"  {name:30} {row['rate']:8.0f} /s  {row['cpu']:7.3f} CPU ms  {row['rate'] / base:5.2f} x torchvision PIL"
        )
    for (where, way, name), bar in BARS.items():
        theirs = [row for key, row in rows.items() if key.startswith(f"{name}, ")]
        mine = rows.get(f"ours {way}, 2 threads")
        if where != size or not theirs or mine is None:
            continue
        ratio = mine["rate"] / max(row["rate"] for row in theirs)
        by_cpu = [row["cpu"] / mine["cpu"] for row in theirs]
        verdict = "met" if ratio >= bar else "MISSED"
        print(
            f"  ours {way} / {name}: {ratio:.2f} (bar {bar}, {verdict}); CPU of theirs in ours, 0 and 2 workers: ",
            end="",
        )
        print(" and ".join(f"{each:.2f}" for each in by_cpu))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", type=int, default=2000, help="how many of 500 x 375")
    parser.add_argument("--large", type=int, default=500, help="how many of 1920 x 1280")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", nargs="*", default=[], choices=[*PEERS], help="these alone")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "sightline-input-pipeline")
    given = parser.parse_args()
    import cv2
    import torch

    from sightline.training.cache import Cache

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {commit.stdout.strip()}")
    print(f"load {os.getloadavg()[0]:.1f}; torch {torch.__version__}, OpenCV {cv2.__version__}, numpy {np.__version__}")
    results: dict[str, Any] = {}
    for size, count in (("small", given.small), ("large", given.large)):
        if not count:
            continue
        files = pictures(given.folder, size, count)
        with tempfile.TemporaryDirectory(dir=given.folder) as room:
            cache = Cache(Path(room), 32 * 10**9) if size == "small" else None
            results[size] = compare(size, files, given.rounds, cache, given.peers, partial(print, file=sys.stderr))
            if cache is not None:
                cache.close()
        show(size, results[size])
        if size == "small":
            results["first batch"] = first_batch(files)
            print(f"  first batch of 64: {results['first batch']:.0f} ms (bar 100)")
    results["tiny"] = tiny()
    print(f"\ntiny: 32 x 32 in memory, {results['tiny']:.0f} pictures a second of one core (bar 8000)")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
