"""Whether sets of names keep their word over many splits, and how well pictures unlike the learnt ones are refused.

    PYTHONPATH=src:. python benchmarks/trust.py [--splits 1000] [--worlds shapes] [--epochs 8]

Sets: scores of a network that is too sure are drawn; for each split the temperature, the choice of set and the
thresholds are learnt anew as after a training. Unlike: a network learns one drawn world and is asked about the others,
noise and flat colours; area under the ROC curve, and the share refused at the stored limit.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.interval_coverage import machine
from sightline.core.annotations import Annotation, Labels
from sightline.core.calibration import learn
from sightline.core.conformal import may_miss
from sightline.core.data import open_data
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

POOL, LEVEL = 20_000, 0.9


def sets(splits: int) -> None:
    """Mean coverage, its bounds, and whether the coverages follow their law."""
    print("| set aside | names | mean coverage | theory | names a set | p of the Beta law |")
    print("|---" * 6 + "|")
    for count, names in ((200, 4), (400, 10), (1000, 10)):
        rng = np.random.default_rng(count)
        true = rng.integers(0, names, POOL)
        logs = 2.0 * (rng.normal(size=(POOL, names)) + 1.6 * np.eye(names)[true])
        scores = np.exp(logs) / np.exp(logs).sum(1, keepdims=True)
        words = tuple(f"{name:02d}" for name in range(names))
        truths = [Labels((words[name],)) for name in true]
        answers = [Labels(words, row) for row in scores]
        found, sizes = [], []
        for split in range(splits):
            part = rng.permutation(POOL)[: 2 * count]
            made = learn([truths[p] for p in part], [answers[p] for p in part], seed=split)
            assert made.sets is not None
            fresh = np.setdiff1d(np.arange(POOL), part)
            inside = made.sets.names(made.mending(scores[fresh]), LEVEL)
            found.append(float(inside[np.arange(len(fresh)), true[fresh]].mean()))
            sizes.append(float(inside.sum(1).mean()))
        missed, spread = may_miss(count, LEVEL), float(np.std(found)) / math.sqrt(splits)
        law = stats.kstest(found, stats.beta(count + 1 - missed, missed).cdf).pvalue
        theory = f"{LEVEL:.4f} to {LEVEL + 1 / (count + 1):.4f} +- {3 * spread:.4f}"
        print(f"| {count} | {names} | {np.mean(found):.4f} | {theory} | {np.mean(sizes):.2f} | {law:.3f} |", flush=True)


def unlike(world: str, epochs: int) -> None:
    """One network, asked about everything else."""
    from sklearn.metrics import roc_auc_score

    from sightline.core.run import Run
    from sightline.evaluating.evaluate import evaluate
    from sightline.exporting.export import export
    from sightline.predicting.model import load
    from sightline.training.train import train

    with tempfile.TemporaryDirectory() as folder:
        data = open_data(f"drawn:{world}?count=700&size=64")
        run: Run = train(data, "classify", out=Path(folder) / "run", settings={"epochs": epochs}, look=False)
        print(f"\n{world}: accuracy {evaluate(run, data).figures[0]['value']:.3f}")
        model = load(export(run, data=data).path)
        usual = _asked(model, list(open_data(f"drawn:{world}?count=150&size=64&seed=7")))
        print(f"| asked | AUROC | refused |\n|---|---|---|\n| {world}, fresh | | {np.mean(usual > 1):.3f} |")
        rng = np.random.default_rng(0)
        noise = [rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(100)]
        flat = [np.full((64, 64, 3), rng.integers(0, 256, 3), np.uint8) for _ in range(100)]
        others = {"noise": noise, "flat": flat}
        asked = {name: [Sample(f"{n}", (ArrayImage(p),)) for n, p in enumerate(some)] for name, some in others.items()}
        for other in ("shapes", "parts", "street", "cells", "documents"):
            if other != world:
                asked[other] = list(open_data(f"drawn:{other}?count=100&size=64"))
        for name, samples in asked.items():
            odd = _asked(model, samples)
            area = roc_auc_score(np.repeat([0, 1], [len(usual), len(odd)]), np.concatenate([usual, odd]))
            print(f"| {name} | {area:.3f} | {np.mean(odd > 1):.3f} |", flush=True)


def _asked(model: object, samples: list[Sample]) -> np.ndarray:
    given: list[Annotation] = model.predict(samples)  # type: ignore[attr-defined]
    return np.array([answer.outlier for answer in given if isinstance(answer, Labels)], np.float64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=1000)
    parser.add_argument("--worlds", nargs="*", default=["shapes"])
    parser.add_argument("--epochs", type=int, default=8)
    given = parser.parse_args()
    print(f"{machine()}\n")
    sets(given.splits)
    for world in given.worlds:
        unlike(world, given.epochs)


if __name__ == "__main__":
    main()
