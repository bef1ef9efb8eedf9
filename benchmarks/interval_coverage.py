"""How often a printed 95 % interval holds the truth, over simulated sets whose truth is known.

    PYTHONPATH=src:. python benchmarks/interval_coverage.py [--draws 2000] [--only recall_at_1] [--json out.json]

"covers" counts the mean over fresh sets of the same size, which is what an interval says it is of; "endless" counts
the number of one very large set, from which average precision and Fréchet distances of small sets differ by a bias.
An interval that always covers is too wide: 93.5-96.5 % is the aim, 90-99 % what the contract test holds.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.catalog import find
from sightline.core.tally import Tally
from sightline.evaluating.intervals import interval
from tests.metrics import _simulated as simulated

Draw = Callable[[np.random.Generator, int], Any]

SKEWED = (0.4, 0.25, 0.2, 0.1, 0.05)
skewed = partial(simulated.labels, shares=SKEWED)
SCENES: list[tuple[str, str, Draw, int]] = [  # metric, what is drawn, how, samples
    *(("accuracy", "three classes", simulated.labels, n) for n in (20, 64, 400)),
    *(("balanced_accuracy", "three classes", simulated.labels, n) for n in (64, 400)),
    *(("balanced_accuracy", "five, rarest 5 %", partial(simulated.labels, shares=SKEWED), n) for n in (64, 400)),
    *(("f1", "three classes", simulated.labels, n) for n in (64, 400)),
    *(("f1", "five, rarest 5 %", partial(simulated.labels, shares=SKEWED), n) for n in (64, 400)),
    *(("log_loss", "three classes", simulated.labels, n) for n in (12, 64, 400)),
    *(
        (metric, *drawn, n)
        for metric in ("precision", "roc_auc", "precision_recall_auc", "sensitivity_at_specificity", "matthews")
        for drawn in (("three classes", simulated.labels), ("five, rarest 5 %", skewed))
        for n in (64, 400)
    ),
    *(
        (metric, *drawn, n)
        for metric in ("ece", "ece_adaptive", "brier")
        for drawn in (("scores too low", simulated.labels), ("exact scores", simulated.exact))
        for n in (64, 400)
    ),
    *(("top_5_accuracy", "a dozen names", simulated.many, n) for n in (64, 400)),
    *(("average_precision", "two things a picture", simulated.objects, n) for n in (30, 64, 150)),
    *(("average_precision_50", "two things a picture", simulated.objects, n) for n in (30, 64, 150)),
    *((metric, "three classes", simulated.regions, n) for metric in ("mean_iou", "dice") for n in (20, 64)),
    *(("psnr", "noise of many strengths", simulated.pictures, n) for n in (12, 64)),
    *(("mean_absolute_error", "skewed errors", simulated.values, n) for n in (12, 64, 400)),
    *(
        ("recall_at_1", f"{classes} classes of {each}, apart {apart}", _draw, classes * each)
        for classes, each, apart in (
            (3, 21, 0.0), (3, 21, 0.8), (3, 21, 2.0), (10, 8, 0.0), (10, 8, 0.8), (10, 8, 2.0),
            (25, 8, 0.0), (25, 8, 0.8), (25, 8, 2.0), (25, 20, 0.5), (50, 4, 1.0),
        )
        for _draw in [partial(simulated.vectors, classes=classes, each=each, apart=apart)]
    ),
    *(("frechet", "noisy against clean", simulated.pictures, n) for n in (64, 200)),
]  # fmt: skip


def measure(metric: str, draw: Draw, count: int, draws: int) -> dict[str, Any]:
    """Coverage, mean width and bias of one scene."""
    score = find("metrics", metric)
    tallies: list[Tally] = [score(*draw(np.random.default_rng(seed), count)) for seed in range(draws)]
    typical = float(np.mean([tally.value for tally in tallies]))
    endless = float("nan")
    if metric != "recall_at_1":  # more samples are another problem there: more to be confused with
        endless = score(*draw(np.random.default_rng(draws), 20_000)).value
    start = time.perf_counter()
    shown = [interval(tally, draws=400) for tally in tallies]
    seconds = (time.perf_counter() - start) / draws
    return {
        "covers": float(np.mean([each.low <= typical <= each.high for each in shown])),
        "endless": float(np.mean([each.low <= endless <= each.high for each in shown])) if endless == endless else None,
        "width": float(np.mean([each.high - each.low for each in shown])),
        "typical": typical,
        "of": shown[0].of,
        "method": shown[0].method,
        "milliseconds": 1000 * seconds,
    }


def machine() -> str:
    """Where and from what the numbers come."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    made = commit.stdout.strip() if commit.returncode == 0 else "no commit"
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))
    return f"{platform.machine()}, Python {platform.python_version()}, {libraries}, {made}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--only", nargs="*", default=[], help="metrics; all where none is named")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    print(f"{machine()}; {given.draws} draws a line, standard error {100 * (0.0475 / given.draws) ** 0.5:.1f} %\n")
    print("| metric | drawn | n | covers | endless | mean width | typical | method | ms |")
    print("|---" * 9 + "|")
    lines = []
    for metric, drawn, draw, count in SCENES:
        if given.only and metric not in given.only:
            continue
        found = {"metric": metric, "drawn": drawn, "count": count, **measure(metric, draw, count, given.draws)}
        lines.append(found)
        endless = "" if found["endless"] is None else f"{100 * found['endless']:.1f} %"
        print(
            f"| {metric} | {drawn} | {count} | {100 * found['covers']:.1f} % | {endless} | {found['width']:.3f} "
            f"| {found['typical']:.3f} | {found['method']} | {found['milliseconds']:.1f} |",
            flush=True,
        )
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "draws": given.draws, "lines": lines}, indent=1))


if __name__ == "__main__":
    main()
