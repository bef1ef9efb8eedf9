"""How far the model stays good while pictures get worse: fifteen corruptions (Hendrycks and Dietterich 2019), hidden
parts and other scales, at rising severity."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Picture
from sightline.core.chance import generator
from sightline.core.errors import InputError
from sightline.core.sample import Sample
from sightline.core.tally import Tally
from sightline.evaluating.chart import HUES, INK, Chart, readable, spoken
from sightline.evaluating.drawn import drawn
from sightline.evaluating.intervals import interval
from sightline.evaluating.page import section as part
from sightline.evaluating.page import table
from sightline.evaluating.scene import Scene
from sightline.predicting.answers import answers

ORDER = 50
KINDS = {
    "noise": ("gaussian_noise", "shot_noise", "impulse_noise"),
    "blur": ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    "weather": ("snow", "frost", "fog", "brightness"),
    "digital": ("contrast", "elastic_transform", "pixelate", "jpeg_compression"),
}
SEVERITIES = (1, 3, 5)
KEPT, BROKEN = 0.95, 0.75  # of the first metric: nearly all, and too little
LEAST, FEWEST, MOST = 8, 16, 200  # samples without which it is not tried; asked at least; at most
TRIED = 2  # samples that tell how long a corruption takes


@dataclass(frozen=True, slots=True)
class _Ask:
    """Answers about corrupted samples, by corruption and severity."""

    scene: Scene
    rows: Sequence[int]

    def rate(self, name: str, severity: int, rows: Sequence[int]) -> Tally:
        """The first metric on these rows made worse."""
        scene, move = self.scene, catalog.find("augmentations", name)
        worse = [self._worse(move, name, severity, row) for row in rows]
        pairs = answers(scene.task, scene.passes, worse, scene.facts, seed=scene.seed)
        truths: list[Annotation] = []
        given: list[Annotation] = []
        for sample, answer in pairs:
            truth = scene.task.reference(sample, scene.facts)
            if isinstance(answer, InputError):
                raise answer
            if truth is not None:
                truths.append(truth)
                given.append(answer)
        found: Tally = catalog.find("metrics", scene.task.metrics[0])(truths, given)
        return found

    def _worse(self, move: Any, name: str, severity: int, row: int) -> Sample:
        sample = self.scene.samples[row]
        rng = generator(self.scene.seed, "robustness", name, severity, sample.id)
        made: Sample = move(sample, rng, severity=(severity, severity))
        return made


def study(scene: Scene) -> dict[str, Any] | None:
    """As many samples as the time allows, the same ones for every corruption."""
    usable = [row for row, sample in enumerate(scene.samples) if sample.images]
    if len(usable) < LEAST or scene.task.kind is Picture:
        return None
    order = generator(scene.seed, "robustness").permutation(usable).tolist()
    names, refused, each = _able(_Ask(scene, order), order[:TRIED])
    if not names:
        return None
    count = int(
        np.clip(scene.seconds / (each * len(names) * len(SEVERITIES)), min(FEWEST, len(order)), min(MOST, len(order)))
    )
    rows = sorted(order[:count])
    ask = _Ask(scene, rows)
    clean: Tally = catalog.find("metrics", scene.task.metrics[0])(
        [scene.truths[row] for row in rows], [scene.answers[row] for row in rows]
    )
    tallies = {name: [ask.rate(name, severity, rows) for severity in SEVERITIES] for name in names}
    return {
        "metric": scene.task.metrics[0],
        "better": clean.better,
        "count": count,
        "severities": list(SEVERITIES),
        "clean": _reach(clean),
        "kinds": {name: [_reach(tally) for tally in several] for name, several in tallies.items()},
        "mean": [_mean([tallies[name][place] for name in names]) for place in range(len(SEVERITIES))],
        "refused": refused,
        "line": _line(scene.task.metrics[0], clean, tallies),
    }


def _able(ask: _Ask, rows: Sequence[int]) -> tuple[list[str], dict[str, str], float]:
    """The corruptions that these pictures can suffer, why not the others, and the seconds each takes a sample."""
    names, refused, total = [], {}, 0.0
    for name in (name for some in KINDS.values() for name in some):
        start = time.process_time()  # that others use the machine does not make the figures poorer
        try:
            ask.rate(name, SEVERITIES[-1], rows)
        except InputError as error:
            refused[name] = error.message
            continue
        names.append(name)
        total += (time.process_time() - start) / len(rows)
    return names, refused, total / max(1, len(names))


def _reach(tally: Tally) -> dict[str, Any]:
    plain = interval(tally, draws=200).to_json()
    return {key: plain[key] for key in ("value", "low", "high")}


def _mean(tallies: Sequence[Tally]) -> float:
    return float(np.mean([tally.value for tally in tallies]))


def _line(name: str, clean: Tally, tallies: Mapping[str, Sequence[Tally]]) -> str:
    sign = 1 if clean.better == "higher" else -1
    worst = min(tallies, key=lambda one: sign * float(np.mean([tally.value for tally in tallies[one]])))
    middle = _mean([several[len(SEVERITIES) // 2] for several in tallies.values()])
    return (
        f"{spoken(name)} {readable(clean.value)} on clean pictures, {readable(middle)} on average at severity "
        f"{SEVERITIES[len(SEVERITIES) // 2]} of 5; most harmed by {spoken(worst)}"
    )


def trusted(found: Mapping[str, Any]) -> list[str]:
    """Corruptions that cost little."""
    mild = [spoken(name) for name, kept in _kept(found).items() if kept >= KEPT]
    return [f"Pictures with some {_listed(mild)}: it answers nearly as well."] if mild else []


def doubted(found: Mapping[str, Any]) -> list[str]:
    """Corruptions under which it falls apart."""
    bad = [spoken(name) for name, kept in _kept(found).items() if kept < BROKEN]
    clean = f"{spoken(found['metric'])} {readable(found['clean']['value'])}"
    return [f"Pictures with {_listed(bad)} of middle strength: of {clean}, too little is left."] if bad else []


def _kept(found: Mapping[str, Any]) -> dict[str, float]:
    """How much of the first metric is left of each corruption's middle strength, the least first."""
    clean, middle = found["clean"]["value"], len(found["severities"]) // 2
    if not clean or clean < 0:
        return {}
    left = {}
    for name, row in found["kinds"].items():
        value = row[middle]["value"]
        if value is not None and (found["better"] == "higher" or value > 0):
            left[name] = value / clean if found["better"] == "higher" else clean / value
    return dict(sorted(left.items(), key=lambda pair: pair[1]))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """A curve for each family of corruptions, and each corruption as a row."""
    heads = ("Corruption", *(f"Severity {severity}" for severity in found["severities"]))
    order = [name for some in KINDS.values() for name in some if name in found["kinds"]]
    rows = [(spoken(name), *(readable(at["value"]) for at in found["kinds"][name])) for name in order]
    means = ("mean", *(readable(value) for value in found["mean"]))
    columns = tuple(range(1, len(heads)))
    body = table(heads, [means, *rows], numbers=columns, caption="By corruption and severity")
    line = found["line"]
    lead = f"{line[:1].upper()}{line[1:]}. The same {found['count']} samples each time."
    if found["refused"]:
        lead += f" Not tried: {', '.join(spoken(name) for name in found['refused'])} (these pictures do not allow it)."
    return part("When pictures get worse", f'<div class="halves">{drawn(_chart(found))}{body}</div>', lead)


def _chart(found: Mapping[str, Any]) -> Chart:
    across = [0, *found["severities"]]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for hue, (kind, names) in zip(HUES, KINDS.items(), strict=False):
            known = [found["kinds"][name] for name in names if name in found["kinds"]]
            if known:
                values = [float(np.mean([some[place]["value"] for some in known])) for place in range(len(across) - 1)]
                axes.plot(across, [found["clean"]["value"], *values], "o-", ms=3, lw=1.3, color=hue, label=kind)
        axes.plot(across, [found["clean"]["value"], *found["mean"]], lw=2.4, color=INK, label="mean")
        axes.set_xticks(across, ["clean", *map(str, found["severities"])])
        axes.set_title(spoken(found["metric"]), loc="left", fontsize=9.5, fontweight="bold")
        axes.grid(axis="y", color=INK, alpha=0.12, lw=0.6)
        axes.legend(frameon=False, fontsize=7.5)

    return Chart(found["line"], (4.6, 3.2), draw)
