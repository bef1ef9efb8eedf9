"""How much planted label noise the most suspect labels hold, and what finding it costs.

    PYTHONPATH=src python -m benchmarks.label_noise [DATA] [--count 10000 50000] [--share 0.05] [--seeds 3]

DATA (or SIGHTLINE_DATA) is any data set with one name a picture, such as a folder of classes; its own labels are taken
as right, so that real mistakes in it count against us. The bar: with 5 % planted, the 5 % most suspect hold 60 % of it.
"self-confidence" ranks by the probability of the given name alone, "logistic" is scikit-learn's cross-validated
logistic regression on plain pixels ranked in the same way (where it is installed), "chance" is the share planted.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import time
from importlib.metadata import version

import numpy as np

from sightline.auditing.confident import judge
from sightline.auditing.patches import draw_bank
from sightline.auditing.suspects import SIDE
from sightline.core.annotations import Labels
from sightline.core.data import open_data
from sightline.core.dataset import Dataset


def machine() -> str:
    """Where and from what the numbers come."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "opencv-python-headless"))
    made = commit.stdout.strip() or "no commit"
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}, {made}"


def pictures(data: Dataset, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Some pictures at the size at which they are judged, and the numbers of their names."""
    import cv2

    chosen = np.sort(np.random.default_rng(seed).permutation(len(data))[:count])
    samples = [data[int(row)] for row in chosen]
    names = list(data.names)
    small = [
        cv2.resize(np.broadcast_to(p := one.pixels(), (*p.shape[:2], 3)).copy(), (SIDE, SIDE), interpolation=3)
        for one in samples
    ]
    given = [names.index(one.truth.best) for one in samples if isinstance(one.truth, Labels)]
    return np.stack(small), np.array(given), names


def planted(truth: np.ndarray, names: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which a share is another name, evenly drawn."""
    rng = np.random.default_rng(seed)
    wrong = rng.permutation(len(truth))[: int(share * len(truth))]
    given = truth.copy()
    given[wrong] = (truth[wrong] + rng.integers(1, names, len(wrong))) % names
    return given, given != truth


def plain(small: np.ndarray, given: np.ndarray, names: int) -> np.ndarray | None:
    """Probabilities of the usual recipe: logistic regression on pixels, five folds."""
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import cross_val_predict
    except ModuleNotFoundError:
        return None
    inputs = small.reshape(len(small), -1).astype(np.float32) / 255 - 0.5
    found: np.ndarray = cross_val_predict(
        LogisticRegression(C=0.01, max_iter=100), inputs, given, cv=5, method="predict_proba"
    )
    return found


def held(confidence: np.ndarray, wrong: np.ndarray) -> float:
    """The share of what was planted among as many labels, the most suspect first."""
    top = np.argsort(confidence, kind="stable")[: int(wrong.sum())]
    return float(wrong[top].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("SIGHTLINE_DATA"))
    parser.add_argument("--count", type=int, nargs="*", default=[2000, 10_000])
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rival", action="store_true", help="the plain recipe as well, which takes long")
    given = parser.parse_args()
    if not given.data:
        sys.exit("no data: name a folder of classes, or set SIGHTLINE_DATA")
    data = open_data(given.data)
    print(f"{machine()}\n{data.name}: {len(data):,} pictures, {given.share:.0%} planted\n")
    print("| pictures | held by the most suspect | of those doubted, wrong | accuracy | logistic holds | CPU s | MB |")
    print("|---" * 7 + "|")
    for count in given.count:
        rows = []
        for seed in range(given.seeds):
            small, truth, names = pictures(data, count, seed)
            labels, wrong = planted(truth, len(names), given.share, seed + 100)
            start = time.process_time()
            bank = draw_bank(small, int(np.clip(len(small) // 20, 32, 256)))
            features = np.empty((len(small), bank.width), np.float16)
            for place in range(0, len(small), 1000):
                features[place : place + 1000] = bank.features(small[place : place + 1000])
            judged = judge(features, labels, len(names))
            spent = time.process_time() - start
            rival = plain(small, labels, len(names)) if given.rival else None
            other = float("nan") if rival is None else held(rival[np.arange(len(labels)), labels], wrong)
            precise = float(wrong[judged.doubted].mean())
            rows.append((held(judged.confidence, wrong), precise, judged.accuracy, other, spent))
        share, precise, right, other, spent = np.mean(rows, 0)
        apart = np.ptp([row[0] for row in rows])
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rival_says = "" if np.isnan(other) else f"{other:.1%}"
        print(
            f"| {count:,} | {share:.1%} (seeds apart {apart:.1%}) | {precise:.1%} | {right:.1%} | {rival_says} "
            f"| {spent:.1f} | {most:,.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
