"""A chain explained: pictures on their way through it, each stage with its step, what it found and its histogram."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from sightline.applying.chain import Chain, Stage
from sightline.core.annotations import Annotation, Heatmap, Labels, Objects, Picture, Regions, Text, Value, Vector
from sightline.core.depth import span
from sightline.core.errors import InputError
from sightline.core.sample import Sample
from sightline.evaluating.chart import readable
from sightline.evaluating.page import document, escape, pack, section
from sightline.overlays import draw

BINS = 64
EDGE = 640  # pixels of the longest side that is shown
_WIDE, _HIGH = 256, 72
_HUES = ("#d94b3f", "#2f9e5b", "#2f7fd1")
_GRAY = "var(--dim)"


def stages_page(chain: Chain, samples: Iterable[Sample]) -> str:
    """One page that stands alone: a row of stages for each picture."""
    rows = [(sample.id, *_gone_through(chain, sample)) for sample in samples]
    shown = [_shown(stage) for _, stages, _ in rows for stage in stages]
    addresses = iter(pack(shown))
    sections = []
    for name, stages, fault in rows:
        figures = "".join(
            _figure(number, stage, next(addresses), max(stage.pixels.shape[:2])) for number, stage in enumerate(stages)
        )
        stopped = f'<p class="bad">{escape(fault)}</p>' if fault else ""
        sections.append(section(name, f'<div class="gallery">{figures}</div>{stopped}', _told(stages)))
    lead = f"{len(chain.steps)} {'step' if len(chain.steps) == 1 else 'steps'} in a row"
    head = f'<p class="eyebrow">{lead}</p><h1>What each step does</h1><pre>{escape(chain)}</pre>'
    return document("What each step does", f"<style>{_LOOKS}</style>{head}{''.join(sections)}")


def _gone_through(chain: Chain, sample: Sample) -> tuple[list[Stage], str]:
    """The stages of a picture, up to the step that it could not pass, and why."""
    stages: list[Stage] = []
    try:
        for stage in chain.walk(sample):
            stages.append(stage)  # noqa: PERF402 - what came before a fault is kept
    except InputError as error:
        return stages, error.message
    return stages, ""


def _shown(stage: Stage) -> np.ndarray:
    """The picture with what was found drawn on it, small enough for a page."""
    from sightline.core.resampling import resize

    nothing = Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ())
    record: Annotation = nothing if stage.record is None else stage.record
    pixels = stage.pixels if stage.pixels.ndim == 3 else stage.pixels[..., None]
    drawn = draw(pixels, record, least=240)
    scale = EDGE / max(drawn.shape[:2])
    return drawn if scale >= 1 else resize(drawn, (_scaled(drawn.shape[0], scale), _scaled(drawn.shape[1], scale)))


def _scaled(side: int, scale: float) -> int:
    return max(1, round(side * scale))


def _figure(number: int, stage: Stage, address: str, longest: int) -> str:
    tiny = ' class="tiny"' if longest <= 160 else ""
    rows, columns = stage.pixels.shape[:2]
    facts = [f"{columns} x {rows}", str(stage.pixels.dtype)]
    facts += [f"{stage.seconds * 1000:.3g} ms"] if number else []
    says = "" if stage.record is None else f"<em>{escape(told_of(stage.record))}</em>"
    said = stage.line.replace("`", "")
    line = f"<span>{escape(said)}</span>" if said else ""
    return (
        f'<figure><img{tiny} src="{address}" alt="{escape(stage.text)}">{histogram(stage.pixels)}'
        f"<figcaption><b>{number}. {escape(stage.text)}</b>{line}{says}"
        f'<span class="facts">{escape(" · ".join(facts))}</span></figcaption></figure>\n'
    )


def histogram(pixels: np.ndarray) -> str:
    """How often each level is there, a line a channel; the range is that of the depth."""
    flat = pixels.reshape(-1, pixels.shape[-1] if pixels.ndim == 3 else 1)
    low, high = span(pixels)
    counts = [np.histogram(flat[:, place], BINS, (low, high))[0] for place in range(min(3, flat.shape[1]))]
    top = np.sqrt(max(1, max(int(each.max()) for each in counts)))
    hues = _HUES if len(counts) == 3 else (_GRAY,) * len(counts)
    means = ", ".join(readable(float(flat[:, place].mean())) for place in range(len(counts)))
    drawn = "".join(_area(each, float(top), hue) for each, hue in zip(counts, hues, strict=True))
    says = escape(f"levels from {readable(low)} to {readable(high)}, mean {means}")
    return (
        f'<svg class="levels" viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none" role="img" aria-label="{says}">'
        f'{drawn}<line x1="0" x2="{_WIDE}" y1="{_HIGH}" y2="{_HIGH}" stroke="var(--line)"/></svg>'
    )


def _area(counts: np.ndarray, top: float, hue: str) -> str:
    step = _WIDE / BINS
    heights = _HIGH - 1 - (_HIGH - 4) * np.sqrt(counts) / top
    points = [f"0,{_HIGH}"]
    for place, height in enumerate(heights.tolist()):
        points += [f"{place * step:g},{height:.1f}", f"{(place + 1) * step:g},{height:.1f}"]
    return f'<polygon points="{" ".join([*points, f"{_WIDE},{_HIGH}"])}" fill="{hue}" fill-opacity=".45"/>'


def told_of(record: Annotation) -> str:
    """What was found, in a few words."""
    return str(_SAYS[type(record)](record))


def _objects(record: Any) -> str:
    if not len(record):
        return "found nothing"
    counts = {name: int((record.classes == number).sum()) for number, name in enumerate(record.names)}
    return "found " + ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _regions(record: Any) -> str:
    shares = [(float((record.classes == number).mean()), name) for number, name in enumerate(record.names)]
    return ", ".join(f"{name} {share:.0%}" for share, name in shares if share > 0)


def _labels(record: Any) -> str:
    if record.scores is None or not record.names:
        return ", ".join(record.names) or "no name"
    return f"{record.best} {float(np.max(record.scores)):.2f}"


_SAYS: dict[type, Any] = {
    Objects: _objects,
    Regions: _regions,
    Labels: _labels,
    Value: lambda record: ", ".join(
        f"{name} {readable(float(number))}" for name, number in zip(record.names, record.numbers, strict=True)
    ),
    Heatmap: lambda record: f"score {readable(record.score)}",
    Picture: lambda record: "another picture",
    Text: lambda record: record.text,
    Vector: lambda record: f"a vector of {len(record.values)}",
}


def _told(stages: list[Stage]) -> str:
    spent = sum(stage.seconds for stage in stages)
    return f"{1000 * spent:.3g} ms for all steps"


_LOOKS = """
.gallery{--width:225px;gap:26px 20px}
h1+pre{margin-top:16px}
figure img{aspect-ratio:auto}
.levels{width:100%;height:56px;display:block;margin-top:8px}
figcaption em{display:block;font-style:normal;color:var(--accent);margin-top:2px}
figcaption .facts{display:block;font-variant-numeric:tabular-nums;margin-top:2px}
"""
