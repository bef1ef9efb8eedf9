"""What is known of a run as one page: the verdict first, then the pictures that show it, then what was not tested."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.files import write_durably
from sightline.evaluating import charts
from sightline.evaluating.chart import number, readable, spoken, tame
from sightline.evaluating.drawn import drawn
from sightline.evaluating.page import bullets, document, escape, pack, pairs, section, table

_TINY = 160  # pixels across, below which a picture is enlarged with its pixels whole


@dataclass(frozen=True, eq=False)
class Example:
    """A picture with its answer already drawn on it."""

    title: str
    picture: np.ndarray  # uint8, rows x columns x 1 or 3
    detail: str = ""


@dataclass(frozen=True)
class Figure:
    """A metric with its interval; `baseline` is what answering without looking reaches."""

    name: str
    value: float
    low: float
    high: float
    better: str
    count: int
    of: str
    baseline: float | None = None


@dataclass(frozen=True, eq=False)
class Material:
    """All that a report shows; what is empty is left out of the page."""

    title: str
    task: str
    model: str
    verdict: str
    trusted: Sequence[str] = ()  # what it can be used for
    doubted: Sequence[str] = ()  # what it must not be used for
    facts: Mapping[str, str] = field(default_factory=dict)
    figures: Sequence[Figure] = ()
    history: Sequence[Mapping[str, Any]] = ()
    confusion: tuple[Sequence[str], np.ndarray] | None = None
    worst: Sequence[Example] = ()
    typical: Sequence[Example] = ()
    sections: Sequence[tuple[int, str]] = ()  # of studies, each with how early it comes
    parity: Sequence[Mapping[str, str]] = ()
    notes: Sequence[str] = ()
    untested: Sequence[str] = ()
    reproduce: str = ""


def write_report(path: Path, material: Material) -> Path:
    """Write the page, whole or not at all; without the chart library it stands without charts and says so."""
    pictures = pack([example.picture for example in (*material.worst, *material.typical)])
    split = len(material.worst)
    worst = _gallery(
        "Worst mistakes", "Where the answer is farthest from what is so.", material.worst, pictures[:split]
    )
    usual = _gallery(
        "Typical answers", "Spread evenly over the samples, not chosen.", material.typical, pictures[split:]
    )
    notes, untested, again = bullets(material.notes), bullets(material.untested), escape(material.reproduce)
    parts = [  # how good, where not, whether it holds, why, how it came about
        (0, _head(material)),
        (5, _figures(material.figures)),
        (12, _confusion(material.confusion)),
        (42, worst),
        (44, usual),
        *material.sections,
        (70, _history(material.history)),
        (85, _parity(material.parity)),
        (86, section("What was seen in the data", notes) if material.notes else ""),
        (87, section("What was not tested", untested, name="untested") if material.untested else ""),
        (88, section("This run", pairs(material.facts)) if material.facts else ""),
        (89, section("Do it again", f"<pre><code>{again}</code></pre>") if material.reproduce else ""),
    ]
    shown = "".join(text for _, text in sorted(parts, key=lambda part: part[0]))
    write_durably(path, document(f"{material.title} · Sightline report", shown).encode())
    return path


def _head(material: Material) -> str:
    about = " · ".join(filter(None, (material.task, material.model)))
    head = f'<header><p class="eyebrow">{escape(about)}</p><h1>{escape(material.title)}</h1>'
    head += f'<p class="verdict">{escape(material.verdict)}</p></header>\n'
    return head + (_key(material.figures[0]) if material.figures else "") + _standings(material)


def _standings(material: Material) -> str:
    """What to use it for and what not, side by side; as much as was measured."""
    if not material.trusted and not material.doubted:
        return ""
    never = material.doubted or ("Nothing that was measured speaks against it; see what was not tested.",)
    use = material.trusted or ("Nothing that was measured vouches for more than the figure above.",)
    halves = f'<div><h2 class="good">✓ Can be trusted with</h2>{bullets(use)}</div>'
    halves += f'<div><h2 class="bad">✕ Must not be used for</h2>{bullets(never)}</div>'
    return f'<section class="standings"><div class="halves">{halves}</div></section>\n'


def _key(figure: Figure) -> str:
    """The first metric, large, beside a ruler on which it, its interval and the baseline stand."""
    known = math.isfinite(number(figure.low)) and math.isfinite(number(figure.high))
    reach = f"95 % interval {readable(figure.low)} to {readable(figure.high)}" if known else "no interval"
    kind, says = _standing(figure)
    badge = f'<p class="badge {kind}">{escape(says)}</p>' if says else ""
    better = "higher is better" if figure.better == "higher" else "lower is better"
    key = f"<span>{escape(spoken(figure.name))} ({better})</span><b>{readable(figure.value)}</b>"
    key += f"<small>{reach}<br>{figure.count:,} samples</small>"
    return f'<div class="hero"><div class="key">{key}</div><div>{badge}{_ruler(figure)}</div></div>\n'


def _standing(figure: Figure) -> tuple[str, str]:
    """How the metric stands against the baseline, in a word that does not need its colour."""
    low, high, floor = number(figure.low), number(figure.high), number(figure.baseline)
    if not math.isfinite(floor) or not math.isfinite(number(figure.value)):
        return "dim", "" if math.isfinite(number(figure.value)) else "✕ no value"
    if not math.isfinite(low) or not math.isfinite(high):
        return "warn", "? baseline not tested against"
    if figure.better == "lower":
        low, high, floor = -high, -low, -floor
    if low > floor:
        return "good", "✓ clearly better than the baseline"
    return ("bad", "✕ worse than the baseline") if high < floor else ("warn", "~ not clearly better than the baseline")


def _ruler(figure: Figure) -> str:
    """A line with the interval, the value and the baseline, drawn by hand: the one picture that is always there."""
    value, low, high, floor = (number(part) for part in (figure.value, figure.low, figure.high, figure.baseline))
    points = [point for point in (value, low, high, floor) if math.isfinite(point)]
    if not math.isfinite(value):
        return ""
    share = min(points) >= 0 and max(points) <= 1
    start, end = (0.0, 1.0) if share else (min(0.0, *points), max(0.0, *points) * 1.08 or 1.0)

    hue = {"dim": "accent"}.get(kind := _standing(figure)[0], kind)

    def at(point: float) -> str:
        return f"{10 + 540 * (point - start) / (end - start or 1):.1f}"

    said = (
        f"{spoken(figure.name)} {readable(value)}, from {readable(low)} to {readable(high)}, baseline {readable(floor)}"
    )
    drawn = f'<svg class="ruler" viewBox="0 0 560 92" role="img" aria-label="{escape(said)}">'
    drawn += (
        '<line x1="10" y1="46" x2="550" y2="46" stroke="var(--line)" stroke-width="6" style="stroke-linecap:round"/>'
    )
    drawn += f'<text x="10" y="84" font-size="13" fill="var(--dim)">{start:.3g}</text>'
    drawn += f'<text x="550" y="84" font-size="13" fill="var(--dim)" text-anchor="end">{end:.3g}</text>'
    if math.isfinite(low) and math.isfinite(high):
        drawn += f'<line x1="{at(low)}" y1="46" x2="{at(high)}" y2="46" stroke="var(--{hue})" stroke-width="18"'
        drawn += ' stroke-opacity=".35" style="stroke-linecap:round"/>'
    if math.isfinite(floor):
        anchor = "end" if float(at(floor)) > 480 else "start" if float(at(floor)) < 80 else "middle"
        drawn += f'<line x1="{at(floor)}" y1="26" x2="{at(floor)}" y2="66" stroke="var(--ink)" stroke-width="2.5"/>'
        drawn += f'<text x="{at(floor)}" y="17" font-size="13" fill="var(--dim)" text-anchor="{anchor}">'
        drawn += f"baseline {readable(floor)}</text>"
    return drawn + f'<circle cx="{at(value)}" cy="46" r="10" fill="var(--{hue})"/></svg>'


def _figures(figures: Sequence[Figure]) -> str:
    if not figures:
        return ""
    marks = {"good": "✓ better", "warn": "~ unclear", "bad": "✕ worse", "dim": "–"}
    rows = [
        (
            spoken(f.name),
            readable(f.value),
            f"{readable(f.low)} to {readable(f.high)}",
            readable(f.baseline),
            marks[_standing(f)[0]],
            f"{f.count:,}",
        )
        for f in figures
    ]
    heads = ("Metric", "Value", "95 % interval", "Baseline", "Against it", "Samples")
    of = " and ".join(dict.fromkeys(f.of for f in figures if f.of))
    lead = f"The interval is where the number would lie on {of}." if of else ""
    shown = drawn(charts.interval_chart(figures))
    body = f"{table(heads, rows, numbers=(1, 2, 3, 5), caption='Metrics')}"
    return section("How good it is", f'<div class="halves figures">{body}{shown}</div>', lead)


def _history(rows: Sequence[Mapping[str, Any]]) -> str:
    panels = charts.history_panels(rows)
    if len(rows) < 2 or not panels:
        return ""
    rates = [rate for rate in (number(row.get("rate")) for row in rows) if math.isfinite(rate)]
    if len(rates) == len(rows):
        panels.append(charts.schedule_chart(rates))
    lead = f"{len(rows)} epochs; a ring marks the one that was kept."
    if any(row.get("best") for row in rows) and not rows[-1].get("best"):
        lead += " Those after it, in gray, were not better by the first metric."
    return section("How it learned", f'<div class="halves">{"".join(map(drawn, panels))}</div>', lead)


def _confusion(confusion: tuple[Sequence[str], np.ndarray] | None) -> str:
    if confusion is None or len(confusion[0]) < 2:
        return ""
    names, matrix = confusion[0], np.asarray(confusion[1])
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:8]
    most = [divmod(int(place), len(names)) for place in order if wrong.flat[place] > 0]
    rows = [
        (tame(names[i], 60), tame(names[j], 60), f"{wrong[i, j]:,}", f"{wrong[i, j] / matrix[i].sum():.0%}")
        for i, j in most
    ]
    heads = ("Is so", "Answered", "Times", "Of all such")
    mixed = table(heads, rows, numbers=(2, 3), caption="Names mixed up most") if rows else "<p>Not one mistake.</p>"
    lead = f"{int(np.trace(matrix)):,} of {int(matrix.sum()):,} right. Rows are what is so, columns what was answered."
    if len(names) > charts.MOST_NAMES:
        lead += f" The {charts.MOST_NAMES} of {len(names)} names with the most mistakes are drawn."
    shown = drawn(charts.confusion_chart(names, matrix))
    return section("What it mixes up", f'<div class="halves">{shown}<div>{mixed}</div></div>', lead)


def _gallery(title: str, lead: str, examples: Sequence[Example], pictures: Sequence[str]) -> str:
    if not examples:
        return ""
    broad = sorted(example.picture.shape[1] / example.picture.shape[0] for example in examples)[len(examples) // 2]
    shown = ""
    for example, picture in zip(examples, pictures, strict=True):
        high, wide = example.picture.shape[:2]
        tiny = ' class="tiny"' if wide < _TINY else ""
        says = f"{example.title}: {example.detail}" if example.detail else example.title
        detail = f"<span>{escape(example.detail)}</span>" if example.detail else ""
        shown += f'<figure><img{tiny} src="{picture}" width="{wide}" height="{high}" alt="{escape(says)}">'
        shown += f"<figcaption><b>{escape(example.title)}</b>{detail}</figcaption></figure>\n"
    return section(title, f'<div class="gallery" style="--width:{300 if broad > 1.6 else 200}px">{shown}</div>', lead)


def _parity(rows: Sequence[Mapping[str, str]]) -> str:
    if not rows:
        return ""
    cells = [tuple(str(row.get(key, "–")) for key in ("part", "gap", "tolerance", "verdict")) for row in rows]
    lead = "The exported model was asked the same as the trained one; the gap is how far their answers are apart."
    heads = ("Part", "Largest gap", "Tolerance", "Verdict")
    body = table(heads, cells, numbers=(1, 2), caption="Parity of the exported model")
    equal = all(row.get("verdict") == "equal" for row in rows)
    title = "The exported model is the trained model" if equal else "The exported model differs from the trained model"
    return section(title, body, lead)
