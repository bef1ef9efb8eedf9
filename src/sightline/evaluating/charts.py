"""Charts of a run: how it learned, what it mixes up, how sure its numbers are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.core.extras import need
from sightline.evaluating.chart import HUES, INK, Chart, number, readable, spoken, tame

if TYPE_CHECKING:
    from sightline.evaluating.report import Figure

MOST_NAMES = 24  # more would not be legible; the names that are mixed up most are shown


def history_chart(rows: Sequence[Mapping[str, Any]]) -> Chart:
    """The loss and each validation metric side by side, two a row."""
    panels = history_panels(rows)
    columns = min(2, max(1, len(panels)))
    high = math.ceil(len(panels) / columns) or 1

    def draw(figure: Any) -> None:
        for part, panel in zip(figure.subfigures(high, columns, squeeze=False).flat, panels, strict=False):
            part.set_facecolor("none")
            panel.draw(part)

    return Chart(" ".join(panel.says for panel in panels) or "No epochs.", (4.6 * columns, 2.6 * high), draw)


def history_png(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The picture that a run keeps beside its numbers."""
    return history_chart(rows).png()


def history_panels(rows: Sequence[Mapping[str, Any]], *, most: int = 5) -> list[Chart]:
    """One small chart for the loss and one for each validation metric, with the best epoch and phases marked."""
    if not rows:
        return []
    parts = list(dict.fromkeys(name for row in rows for name in row.get("parts") or {}))
    loss = {"loss": [number(row.get("loss")) for row in rows]}
    if len(parts) > 1:
        loss |= {part: [number((row.get("parts") or {}).get(part)) for row in rows] for part in parts[: len(HUES) - 1]}
    metrics = list(dict.fromkeys(name for row in rows for name in row.get("val") or {}))[:most]
    panels = [_panel("Training loss", loss, rows, HUES[0])] if any(map(math.isfinite, loss["loss"])) else []
    for name in metrics:
        values = [number((row.get("val") or {}).get(name)) for row in rows]
        panels.append(_panel(f"Validation {spoken(name)}", {name: values}, rows, HUES[2]))
    return panels


def _panel(title: str, lines: Mapping[str, list[float]], rows: Sequence[Mapping[str, Any]], hue: str) -> Chart:
    epochs = [int(row.get("epoch", place + 1)) for place, row in enumerate(rows)]
    kept = max((place for place, row in enumerate(rows) if row.get("best")), default=None)
    first = next(iter(lines.values()))
    said = f"{title}: {readable(first[0])} in epoch {epochs[0]}, {readable(first[-1])} in epoch {epochs[-1]}."
    if kept is not None:
        said += f" The epoch kept is {epochs[kept]}: {readable(first[kept])}."

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        _frame(axes, title, legend=len(lines) > 1)
        known = [value for values in lines.values() for value in values if math.isfinite(value)]
        if known and max(known) > 1 and min(known) > 0 and max(known) / min(known) > 50:
            axes.set_yscale("log")  # shares of one stay on a plain scale, where their size can be seen
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("")
        mark = "o" if len(epochs) <= 30 else None
        for place, (name, values) in enumerate(lines.items()):
            colour, width = (hue, 2.0) if place == 0 else (HUES[place % len(HUES)], 1.2)
            axes.plot(epochs, values, color=colour, lw=width, marker=mark, ms=2.6, label=tame(spoken(name)))
        _phases(axes, rows, epochs)
        if kept is not None:
            _kept(axes, epochs, first, kept, hue)
        if len(lines) > 1:
            axes.legend(
                frameon=False, fontsize=8, ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 0.98), borderaxespad=0,
                handlelength=1.4, columnspacing=1.4,
            )  # fmt: skip
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("epoch", alpha=0.7)
        axes.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)

    return Chart(said, (4.6, 2.6), draw)


def _kept(axes: Any, epochs: list[int], values: list[float], kept: int, hue: str) -> None:
    """A ring at the epoch that was kept, its number where there is room, a veil over what came to nothing."""
    if kept < len(epochs) - 1:
        axes.axvspan(epochs[kept] + 0.5, epochs[-1] + 0.5, color=INK, alpha=0.05, lw=0)
    if math.isfinite(values[kept]):
        axes.plot([epochs[kept]], [values[kept]], "o", ms=7, mfc="none", mec=hue, mew=1.6, zorder=5)
        low, high = axes.get_ylim()
        above = values[kept] > (low + high) / 2
        axes.annotate(
            f"kept: epoch {epochs[kept]}, {readable(values[kept])}", (0.985, 0.05 if above else 0.95), (0, 0),
            "axes fraction", "offset points", ha="right", va="bottom" if above else "top", fontsize=8, alpha=0.75,
        )  # fmt: skip


def _phases(axes: Any, rows: Sequence[Mapping[str, Any]], epochs: list[int]) -> None:
    for place in range(1, len(rows)):
        if rows[place].get("phase") != rows[place - 1].get("phase"):
            axes.axvline(epochs[place] - 0.5, color=INK, alpha=0.45, lw=0.8, ls=(0, (3, 3)))
            says = f"phase {int(rows[place].get('phase') or 0) + 1}"
            axes.annotate(
                says, (epochs[place] - 0.5, 1), (3, -2), ("data", "axes fraction"), "offset points", va="top",
                alpha=0.7, fontsize=7.5,
            )  # fmt: skip


def schedule_chart(rates: Sequence[float]) -> Chart:
    """The learning rate of each epoch, or of each step."""
    known = [number(rate) for rate in rates]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        _frame(axes, "Learning rate")
        axes.plot(range(1, len(known) + 1), known, color=HUES[3], lw=2)
        axes.fill_between(range(1, len(known) + 1), known, color=HUES[3], alpha=0.12, lw=0)
        axes.set_ylim(bottom=0)
        axes.set_xlim(0.5, len(known) + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("epoch", alpha=0.7)

    top = max((rate for rate in known if math.isfinite(rate)), default=math.nan)
    return Chart(f"Learning rate over {len(known)} epochs, {readable(top)} at most.", (4.6, 2.6), draw)


def confusion_chart(names: Sequence[str], matrix: np.ndarray) -> Chart:
    """What is so, by row, against what was answered: right ones blue, mistakes orange, darker for a larger share."""
    counts = np.asarray(matrix, np.int64)
    wrong = counts.sum(0) + counts.sum(1) - 2 * np.diag(counts)
    kept = np.sort(np.argsort(-wrong, kind="stable")[:MOST_NAMES])
    counts, names = counts[np.ix_(kept, kept)], [tame(names[place]) for place in kept]
    shares = counts / np.maximum(1, np.asarray(matrix, np.int64)[kept].sum(1, keepdims=True))
    size = len(names)
    right = int(np.trace(matrix))
    said = f"Confusion of {len(matrix)} names: {right} of {int(np.sum(matrix))} right."
    side = min(6.6, max(2.6, 0.36 * size + 1.5))

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        colours = np.zeros((size, size, 4))
        for row, column in np.ndindex(size, size):
            hue = HUES[0] if row == column else HUES[1]
            colours[row, column, :3] = [int(hue[at : at + 2], 16) / 255 for at in (1, 3, 5)]
            colours[row, column, 3] = 0 if counts[row, column] == 0 else 0.10 + 0.90 * float(shares[row, column]) ** 0.6
        for row, column in np.ndindex(size, size):
            place = (column - 0.47, row - 0.47)
            axes.add_patch(need("matplotlib.patches").Rectangle(place, 0.94, 0.94, fc=colours[row, column], lw=0))
            if counts[row, column]:
                dark = colours[row, column, 3] > 0.62
                axes.text(
                    column, row, f"{counts[row, column]}", ha="center", va="center",
                    color="white" if dark else INK, fontsize=8.5 if size <= 12 else 6,
                )  # fmt: skip
        axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
        slant = max(map(len, names), default=0) * size > 36
        anchor = {"rotation_mode": "anchor"} if slant else {}
        axes.set_xticks(range(size), names, rotation=45 if slant else 0, ha="right" if slant else "center", **anchor)
        axes.set_yticks(range(size), names)
        axes.tick_params(length=0, labelsize=8.5 if size <= 12 else 7)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("answered", alpha=0.7)
        axes.set_ylabel("is so", alpha=0.7)

    return Chart(said, (side + 0.7, side), draw)


def interval_chart(figures: Sequence[Figure]) -> Chart:
    """Each number with its 95 % interval and the baseline; shares of one stand on one scale, others on their own."""
    known = [figure for figure in figures if math.isfinite(number(figure.value))]
    reach = [f"{spoken(f.name)} {readable(f.value)} from {readable(f.low)} to {readable(f.high)}" for f in known]
    said = "; ".join(reach)

    def draw(figure: Any) -> None:
        figure.get_layout_engine().set(hspace=0.12)
        rows = figure.subplots(len(known), 1, squeeze=False).flat if known else ()
        for place, (axes, shown) in enumerate(zip(rows, known, strict=False)):
            _interval(axes, shown, place == 0)

    return Chart(said or "No numbers.", (4.6, 0.3 + 0.8 * max(1, len(known))), draw)


def _interval(axes: Any, shown: Figure, first: bool) -> None:
    low, high, floor = number(shown.low), number(shown.high), number(shown.baseline)
    points = [point for point in (shown.value, low, high, floor) if math.isfinite(point)]
    hue = HUES[2] if first else HUES[0]
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.set_ylim(-1, 1)
    if math.isfinite(low) and math.isfinite(high):
        axes.plot([low, high], [0, 0], color=hue, lw=7, alpha=0.3, solid_capstyle="round")
    axes.plot([shown.value], [0], "o", color=hue, ms=8)
    if math.isfinite(floor):
        axes.plot([floor, floor], [-0.75, 0.75], color=INK, alpha=0.75, lw=1.4, ls=(0, (2, 1.5)))
        far = floor > (min(points) + max(points)) / 2
        axes.annotate(
            "baseline", (floor, 0.75), (-3 if far else 3, 0), textcoords="offset points", va="top",
            ha="right" if far else "left", alpha=0.7, fontsize=7.5,
        )  # fmt: skip
    if min(points) >= 0 and max(points) <= 1:
        axes.set_xlim(-0.02, 1.02)
    else:
        margin = 0.08 * (max(points) - min(points)) or abs(points[0]) * 0.1 or 1.0
        axes.set_xlim(min([*points, 0]) - margin * (min(points) < 0), max(points) + margin)
    better = "higher is better" if shown.better == "higher" else "lower is better"
    axes.set_title(f"{tame(spoken(shown.name))}", loc="left", fontsize=8.5, fontweight="bold", pad=3)
    axes.set_title(better, loc="right", fontsize=7.5, alpha=0.6, pad=3)


def _frame(axes: Any, title: str, *, legend: bool = False) -> None:
    axes.titlepad = 17 if legend else 8
    axes.set_title(tame(title, 44), loc="left", fontsize=9.5, fontweight="bold", pad=axes.titlepad)
    axes.grid(axis="y", color=INK, alpha=0.12, lw=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
