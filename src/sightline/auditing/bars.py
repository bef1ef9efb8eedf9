"""Small drawings of an audit, made by hand so that they need no library: histograms and rows of bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from sightline.evaluating.chart import readable, tame
from sightline.evaluating.page import escape

WIDE, HIGH, FOOT = 260, 84, 20


def histogram(title: str, values: np.ndarray, *, bins: int = 32, mark: tuple[float, float] | None = None) -> str:
    """Counts of a column as bars; those inside `mark` stand out."""
    known = values[np.isfinite(values)]
    if not len(known):
        return ""
    low, high = float(known.min()), float(known.max())
    if low == high:
        return _drawn(title, f"{len(known):,} times {readable(low)}", [(WIDE / 2 - 6, 12, HIGH - 6, False)], low, high)
    counts, edges = np.histogram(known, bins, (low, high))
    step = WIDE / bins
    tallest = math.sqrt(counts.max())
    bars = [
        (place * step, step, (HIGH - 6) * math.sqrt(count) / tallest, _inside(edges[place], edges[place + 1], mark))
        for place, count in enumerate(counts.tolist())
        if count
    ]
    middle = float(np.median(known))
    says = f"{title}: from {readable(low)} to {readable(high)}, middle {readable(middle)}"
    return _drawn(title, says, bars, low, high)


def counted(title: str, counts: Sequence[int], reach: tuple[float, float]) -> str:
    """Counts that are known already, as bars from one end of the reach to the other."""
    step, tallest = WIDE / len(counts), math.sqrt(max(counts, default=0) or 1)
    bars = [
        (place * step, step, (HIGH - 6) * math.sqrt(count) / tallest, False)
        for place, count in enumerate(counts)
        if count
    ]
    return _drawn(title, f"{title}: {', '.join(map(str, counts))}", bars, *reach)


def rows(counts: Mapping[str, int], most: int = 12) -> str:
    """Names with a bar each, the commonest first; the rarest are there too."""
    shown: Sequence[tuple[str, int]] = list(counts.items())
    left = len(shown) - most
    if left > 0:
        shown = [*shown[: most - 3], *shown[-3:]]
    top = max((count for _, count in shown), default=1) or 1
    drawn = ""
    for place, (name, count) in enumerate(shown):
        if left > 0 and place == most - 3:
            drawn += f'<div class="gap">{left:,} more names</div>'
        drawn += (
            f'<div class="row"><span title="{escape(name)}">{escape(tame(name, 28))}</span>'
            f'<i style="--share:{max(0.4, 100 * count / top):.1f}%"></i><b>{count:,}</b></div>'
        )
    return f'<div class="rows">{drawn}</div>'


def _inside(low: float, high: float, mark: tuple[float, float] | None) -> bool:
    return mark is not None and low < mark[1] and high > mark[0]


def _drawn(title: str, says: str, bars: Sequence[tuple[float, float, float, bool]], low: float, high: float) -> str:
    drawn = f'<figure class="histogram"><figcaption><b>{escape(title)}</b></figcaption>'
    drawn += f'<svg viewBox="0 0 {WIDE} {HIGH + FOOT}" role="img" aria-label="{escape(says)}">'
    for left, width, height, marked in bars:
        hue = "warn" if marked else "accent"
        drawn += f'<rect x="{left + 0.5:.1f}" y="{HIGH - max(1.5, height):.1f}" width="{max(1, width - 1):.1f}" '
        drawn += f'height="{max(1.5, height):.1f}" rx="1.5" fill="var(--{hue})"/>'
    drawn += f'<line x1="0" x2="{WIDE}" y1="{HIGH}" y2="{HIGH}" stroke="var(--line)"/>'
    drawn += f'<text x="0" y="{HIGH + 15}" font-size="12" fill="var(--dim)">{escape(readable(low))}</text>'
    drawn += f'<text x="{WIDE}" y="{HIGH + 15}" font-size="12" fill="var(--dim)" text-anchor="end">'
    return drawn + f"{escape(readable(high))}</text></svg></figure>"
