"""The search as one page: what was chosen, what everything cost, and curves of size, time and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sightline.compressing.judging import WITHIN
from sightline.compressing.search import Compressed, Row
from sightline.evaluating.chart import HUES, INK, Chart, readable, spoken
from sightline.evaluating.page import bullets, document, escape, section, table

HEADS = ("form", "kilobytes", "smaller", "ms", "faster", "value", "95 % interval", "drop in points", "within")


def cells(found: Compressed) -> list[tuple[str, ...]]:
    """The table as text, the parent first."""
    known = next((f"{row.loss.parent:.4f}" for row in found.rows if row.loss is not None), "")
    return [_cells(row, found.rows[0], known) for row in found.rows]


def _cells(row: Row, parent: Row, known: str) -> tuple[str, ...]:
    loss = row.loss
    first = (
        row.name, f"{row.size / 1000:,.0f}", f"{parent.size / row.size:.2f}x", f"{row.latency:.3f}",
        f"{parent.latency / max(row.latency, 1e-9):.2f}x",
    )  # fmt: skip
    if loss is None:
        return (*first, known, "", "", "")
    said = f"{loss.drop:+.2f} ({loss.least:+.2f} to {loss.most:+.2f})"
    return (*first, f"{loss.value:.4f}", f"{loss.low:.4f} to {loss.high:.4f}", said, loss.verdict)


def page(found: Compressed) -> str:
    """The whole page."""
    lead = f"Measured on validation pictures; a picture at a time, one thread; at most {found.allowed:g} points may go."
    body = f'<p class="eyebrow">{escape(str(found.folder))}</p><h1>{escape(_title(found))}</h1>\n'
    body += f'<p class="verdict">{escape(found.why)}</p>\n'
    if found.written is not None:
        side = f"the {found.written.loss.count:,} pictures of the side '{found.written.side}'"
        body += f'<p class="lead">{escape(f"The verdict is of {side}, on which nothing was chosen.")}</p>'
    body += section("What was tried", table(HEADS, cells(found), numbers=range(1, 6), caption="forms"), lead)
    drawn = "".join(f'<figure class="chart">{chart.svg()}</figure>' for chart in charts(found))
    body += section("Size, time and answers", f'<div class="halves figures">{drawn}</div>')
    body += section("How each was made", bullets([f"{row.name}: {row.says}" for row in found.rows[1:]]))
    if found.refused:
        body += section("What could not be tried", bullets([f"{name}: {why}" for name, why in found.refused.items()]))
    return document(_title(found), body)


def _title(found: Compressed) -> str:
    return f"Compressed: {found.choice}" if found.choice else "Nothing was fit to take the parent's place"


def charts(found: Compressed) -> list[Chart]:
    """Answers by time and by size; where there are some, the curve of zeros and that of early answers."""
    drawn = [
        _scatter(found, "ms a picture", lambda row: row.latency),
        _scatter(found, "kilobytes of the graph", lambda row: row.size / 1000),
    ]
    sparse = [row for row in found.rows if "sparsity" in row.facts and row.loss is not None]
    if len(sparse) > 1:
        drawn.append(_sparse(sparse, found))
    curves = [row for row in found.rows if row.settings.get("curve")]
    if curves:
        drawn.append(_leaving(curves))
    return drawn


def _scatter(found: Compressed, label: str, place: Any) -> Chart:
    rows = [row for row in found.rows if row.loss is not None]
    names = list(dict.fromkeys(row.method for row in rows))
    says = "; ".join(f"{row.name} {readable(row.loss.value)} at {readable(place(row))}" for row in rows if row.loss)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for row in rows:
            assert row.loss is not None
            hue = HUES[names.index(row.method) % len(HUES)]
            axes.plot([place(row)] * 2, [row.loss.low, row.loss.high], color=hue, lw=1)
            filled = hue if row.loss.verdict == WITHIN else "none"
            axes.plot(place(row), row.loss.value, "o", ms=6, color=hue, markerfacecolor=filled)
            axes.annotate(row.name, (place(row), row.loss.value), (5, 4), textcoords="offset points", fontsize=7)
        if rows and rows[0].loss is not None:
            axes.axhline(rows[0].loss.parent, color=INK, lw=0.8, ls="--")
            axes.plot(place(found.rows[0]), rows[0].loss.parent, "s", ms=6, color=INK)
        axes.set_xlabel(label)
        axes.set_ylabel(spoken(found.metric))
        axes.set_xlim(left=0)

    return Chart(f"{spoken(found.metric)} by {label}: {says}. The line is the parent.", (5.4, 3.6), draw)


def _sparse(rows: Sequence[Row], found: Compressed) -> Chart:
    """What zeros do to answers, to the packed size and to the time."""
    parent = found.rows[0]
    shares = [float(row.facts["sparsity"]) for row in rows]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        values = [row.loss.value for row in rows if row.loss is not None]
        axes.plot(shares, values, "o-", color=HUES[0], label=spoken(found.metric))
        packed = [row.facts["packed"] / parent.size for row in rows]
        axes.plot(shares, packed, "s--", color=HUES[1], label="packed size, of the parent")
        axes.plot(
            shares, [row.latency / parent.latency for row in rows], "^:", color=HUES[2], label="time, of the parent"
        )
        axes.set_xlabel("share of zeros")
        axes.legend(frameon=False)

    return Chart("What zeros among the weights cost and save; the time stays as it was.", (5.4, 3.6), draw)


def _leaving(rows: Sequence[Row]) -> Chart:
    """Average cost against right answers."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for row, hue in zip(rows, HUES, strict=False):
            curve = row.settings["curve"]
            costs = [100 * one["cost"] for one in curve]
            axes.plot(costs, [100 * one["right"] for one in curve], "-", color=hue, lw=1.4, label=row.name)
            axes.plot(100 * row.settings["cost"], 100 * row.settings["right"], "o", ms=6, color=hue)
        axes.set_xlabel("% of the multiplications, on average")
        axes.set_ylabel("% right")
        axes.legend(frameon=False)

    return Chart("Right answers by average cost where easy pictures leave early.", (5.4, 3.6), draw)
