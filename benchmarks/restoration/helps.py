"""Does it help? A detector that learnt from clean drawn streets looks at spoiled ones, as they are and made better.

    PYTHONPATH=src python benchmarks/restoration/helps.py [--size 128] [--learn 400] [--epochs 12] [--test 100]
        [--run FOLDER] [--weights FOLDER] [--json FILE]

Three damages: normal noise of 30 gray levels, darkness (the augmentation `low_light` of severity 4), JPEG of quality 8.
Each spoiled street is looked at as it came, through the classical filter that is best on 30 streets of its own
(among blurs, medians, bilateral and non-local means for noise and blocks; gamma, equalisation, CLAHE and each of them
with non-local means for darkness), and through ours: the shipped weights, with no choice made on this data. What counts
is the mean average precision at an overlap of .5; differences are paired over the same streets, with 95 % intervals.
The run of the detector is kept in --run and continued there.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation
from sightline.core.chance import generator
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.core.tally import Tally
from sightline.enhancing.enhance import enhance
from sightline.evaluating.comparing import compare
from sightline.evaluating.intervals import interval
from sightline.predicting.answers import answers, torch_run
from sightline.predicting.model import trained
from sightline.sources.drawn import dataset
from sightline.training.train import train

Filter = Callable[[np.ndarray], np.ndarray]
DAMAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "noise of 30": ("blind_noise", {"sigma": 30.0}),
    "darkness": ("low_light", {"severity": 4.0}),
    "JPEG of 8": ("jpeg", {"quality": 8}),
}
OURS = {"noise of 30": "denoise", "darkness": "denoise,brighten", "JPEG of 8": "deblock"}
METRIC = "average_precision_50"


def smoothing() -> dict[str, Filter]:
    """Classical filters against noise and blocks."""
    made: dict[str, Filter] = {}
    for sigma in (0.6, 0.9, 1.3):
        made[f"Gaussian {sigma}"] = partial(cv2.GaussianBlur, ksize=(0, 0), sigmaX=sigma)
    for side in (3, 5):
        made[f"median {side}"] = partial(cv2.medianBlur, ksize=side)
    for wide in (20, 40, 80):
        made[f"bilateral {wide}"] = partial(cv2.bilateralFilter, d=7, sigmaColor=wide, sigmaSpace=2)
    for strength in (8, 16, 24):
        made[f"non-local means {strength}"] = partial(means, strength=strength)
    return made


def lighting() -> dict[str, Filter]:
    """Classical filters against darkness, alone and followed by non-local means."""
    plain: dict[str, Filter] = {f"gamma {power}": partial(gamma, power=power) for power in (0.3, 0.4, 0.55)}
    plain |= {"equalised": equalised, "CLAHE": clahe}
    after = {f"{name}, non-local means 16": partial(both, first=edit) for name, edit in plain.items()}
    return {**plain, **after}


def means(pixels: np.ndarray, strength: float) -> np.ndarray:
    return np.asarray(cv2.fastNlMeansDenoisingColored(pixels, None, strength, strength, 5, 15))


def gamma(pixels: np.ndarray, power: float) -> np.ndarray:
    return np.asarray(cv2.LUT(pixels, ((np.arange(256) / 255) ** power * 255).round().astype(np.uint8)))


def equalised(pixels: np.ndarray) -> np.ndarray:
    return _light(pixels, lambda plane: np.asarray(cv2.equalizeHist(plane)))


def clahe(pixels: np.ndarray) -> np.ndarray:
    return _light(pixels, lambda plane: np.asarray(cv2.createCLAHE(4.0, (8, 8)).apply(plane)))


def both(pixels: np.ndarray, first: Filter) -> np.ndarray:
    return means(first(pixels), 16)


def _light(pixels: np.ndarray, edit: Filter) -> np.ndarray:
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = edit(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def damaged(samples: Sequence[Sample], name: str) -> list[Sample]:
    """The streets spoiled, each by a chance of its own."""
    augmentation, settings = DAMAGES[name]
    move = catalog.find("augmentations", augmentation)
    return [move(sample, generator("helps", name, sample.id), **settings) for sample in samples]


def through(samples: Sequence[Sample], edit: Filter) -> list[Sample]:
    """The streets through a filter."""
    return [replace(sample, images=(ArrayImage(edit(sample.pixels())),)) for sample in samples]


class Detector:
    """The detector, asked about streets."""

    def __init__(self, run: Any) -> None:
        self.task, self.facts, network = trained(run)
        self.passes = torch_run(network)

    def tally(self, samples: Sequence[Sample]) -> Tally:
        """How well it finds what is there, a row a street."""
        pairs = [(sample.truth, answer) for sample, answer in answers(self.task, self.passes, samples, self.facts)]
        assert all(isinstance(answer, Annotation) for _, answer in pairs)
        found: Tally = catalog.find("metrics", METRIC)([truth for truth, _ in pairs], [answer for _, answer in pairs])
        return found


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in (("size", 128), ("learn", 400), ("epochs", 12), ("test", 100)):
        words.add_argument(f"--{name}", type=int, default=usual)
    words.add_argument("--run", type=Path)
    words.add_argument("--weights", type=Path)
    words.add_argument("--json", type=Path)
    given = words.parse_args()
    print(machine())
    street = partial(dataset, "street", size=given.size, truth="objects")
    with tempfile.TemporaryDirectory() as room:
        data = f"drawn:street?count={given.learn}&size={given.size}&truth=objects"
        settings = {"epochs": given.epochs, "rate": 0.004, "patience": 0, "precision": "float32", "workers": 1}
        started = time.process_time()
        run = train(data, "detect", out=given.run or Path(room) / "run", settings=settings, look=False)
        detector = Detector(run)
        print(f"detector: {given.learn} streets, {given.epochs} epochs, {time.process_time() - started:.0f} CPU s")
        rows = table(detector, list(street(given.test, seed=1)), list(street(30, seed=2)), given.weights)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


def table(
    detector: Detector, test: Sequence[Sample], choose: Sequence[Sample], weights: Path | None
) -> list[dict[str, Any]]:
    """One row a damage, printed as it is measured."""
    clean = detector.tally(test)
    print(f"clean streets: mAP50 {told(clean)}\n")
    print("| damage | as it came | best classical filter | ours | ours less as it came | ours less classical |")
    print("| --- | --- | --- | --- | --- | --- |")
    rows = []
    for name in DAMAGES:
        spoiled, tried = damaged(test, name), damaged(choose, name)
        classical = lighting() if name == "darkness" else smoothing()
        scores = {word: detector.tally(through(tried, edit)).value for word, edit in classical.items()}
        best = max(scores, key=lambda word: scores[word])
        plain = detector.tally(spoiled)
        theirs = detector.tally(through(spoiled, classical[best]))
        mine = detector.tally(
            through(spoiled, lambda p, what=OURS[name]: enhance(p, what=what, weights=weights).pixels)
        )
        gain, ahead = compare(mine, plain), compare(mine, theirs)
        spans = [f"{each.difference:+.3f} ({each.low:+.3f} to {each.high:+.3f})" for each in (gain, ahead)]
        cells = [name, told(plain), f"{told(theirs)} {best}", told(mine), *spans]
        print(f"| {' | '.join(cells)} |", flush=True)
        rows.append({"damage": name, "clean": clean.value, "plain": plain.value, "classical": theirs.value,
                     "filter": best, "ours": mine.value, "gain": gain.to_json(), "ahead": ahead.to_json()})  # fmt: skip
    return rows


def told(tally: Tally) -> str:
    """A figure with its interval."""
    found = interval(tally)
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def machine() -> str:
    """Where and when this was measured."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return (
        f"{platform.machine()}, Python {platform.python_version()}, OpenCV {cv2.__version__}, {commit.stdout.strip()}"
    )


if __name__ == "__main__":
    main()
