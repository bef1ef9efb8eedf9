"""What each way to make a model smaller or faster brings and costs, on a run that was trained on real pictures.

    python -m benchmarks.compress --run runs/cifar --out /tmp/compress --only int8,exits,student --minutes 10

Without `--run` a network is trained on `--data` (or the folder in SIGHTLINE_DATA) for `--train` minutes first. Sizes
are of the graphs; times are processor time of one thread for one picture, all forms in turns in one process; drops are
paired, with 95 % intervals. Each part goes on where it was stopped, in a folder of its own.
"""

from __future__ import annotations

import argparse
import os
import platform
from pathlib import Path

from sightline.compressing.judging import lost
from sightline.compressing.page import HEADS, cells, page
from sightline.compressing.search import Compressed, compress
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.progress import Event
from sightline.core.run import Run, open_run
from sightline.core.sides import reopen
from sightline.evaluating.evaluate import answered
from sightline.training.train import train

PARTS = {
    "int8": ("folded", "int8"),
    "aware": ("int8", "aware"),
    "exits": ("int8", "exits"),
    "channels": ("int8", "channels"),
    "ranks": ("int8", "ranks"),
    "weights": ("weights",),
}
BATCH = 128


def told(event: Event) -> None:
    if event.kind in ("note", "epoch", "warn") and event.text:
        print(f"  … {event.text}", flush=True)


def shown(found: Compressed) -> None:
    rows = [HEADS, *cells(found)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADS))]
    for row in rows:
        print("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())
    for row in found.rows[1:]:
        print(f"{row.name}: {row.says}")
    for name, why in found.refused.items():
        print(f"no {name}: {why}")
    print(f"=> {found.why}", flush=True)


def searched(run: Run, part: str, out: Path, minutes: float, max_drop: float) -> None:
    """One search with the methods of a part."""
    folder = out / part
    found = compress(run, methods=PARTS[part], minutes=minutes, max_drop=max_drop, out=folder, tell=told)
    (folder / "page.html").write_text(page(found))
    shown(found)


def student(run: Run, out: Path, name: str, epochs: int, count: int) -> None:
    """The same student from the same start on the same pictures for as many epochs: alone, and with a teacher."""
    parted = some(reopen(run.info, folder=run.path), count)
    options = run.info["options"]
    given = {"epochs": epochs, "seed": 0, "patience": 0, "batch": BATCH}
    found = {}
    for way, more in (("alone", {}), ("taught", {"teacher": str(run.path), "teacher_share": 0.9, "temperature": 2.0})):
        place = out / f"student-{way}-{name.replace(':', '-')}"
        made = train(
            parted, run.info["task"], model=name, out=place, settings={**given, **more}, options=options, look=False,
            tell=told,
        )  # fmt: skip
        task, _, truths, answers = answered(made, parted)
        found[way] = answers
    loss = lost(task.metrics[0], truths, found["taught"], found["alone"], 0.5)
    print(f"{name}, {count:,} pictures, {epochs} epochs: alone {loss.parent:.4f}, taught {loss.value:.4f}")
    print(
        f"=> gained {-loss.drop:+.2f} points ({-loss.most:+.2f} to {-loss.least:+.2f}, paired, {loss.count:,} pictures)"
    )


def some(parted: Dataset, count: int) -> Dataset:
    """As many training pictures, by chance; the other sides as they are."""
    sides = parted.column("split")
    rows = [row for row, side in enumerate(sides) if side == "train"]
    chosen = {rows[place] for place in generator(0, "benchmark").permutation(len(rows))[:count]}
    return parted.take([row for row, side in enumerate(sides) if side != "train" or row in chosen])


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--run", help="a finished run")
    words.add_argument("--data", default=os.environ.get("SIGHTLINE_DATA"), help="pictures with one name each")
    words.add_argument("--train", type=float, default=10, help="minutes to train the parent, where no run is named")
    words.add_argument("--model", default="quick:l")
    words.add_argument("--out", type=Path, default=Path("compressed"))
    words.add_argument("--only", default=",".join([*PARTS, "student"]))
    words.add_argument("--minutes", type=float, default=10)
    words.add_argument("--max-drop", type=float, default=0.5)
    words.add_argument("--student", default="quick:s")
    words.add_argument("--epochs", type=int, default=8)
    words.add_argument("--pictures", type=int, default=20_000, help="that the student learns from")
    asked = words.parse_args()
    if not asked.run and not asked.data:
        print("No run and no data: name --run, or --data, or set SIGHTLINE_DATA. Nothing was measured.")
        return
    run = open_run(asked.run) if asked.run else train(
        asked.data, model=asked.model, minutes=asked.train, out=asked.out / "parent", tell=told
    )  # fmt: skip
    versions = {name: __import__(name).__version__ for name in ("torch", "onnxruntime", "numpy")}
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; {versions}")
    print(f"{run.path}: {run.info['model']}, {run.info['counts']}")
    for part in asked.only.split(","):
        print(f"\n== {part}", flush=True)
        if part == "student":
            student(run, asked.out, asked.student, asked.epochs, asked.pictures)
        else:
            searched(run, part, asked.out, asked.minutes, asked.max_drop)


if __name__ == "__main__":
    main()
