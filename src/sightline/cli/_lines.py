"""Numbers and answers as lines for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sightline.core.annotations import Annotation
    from sightline.core.decisions import Decision


def printable(text: str) -> str:
    """Text that cannot steer a terminal: names of files and labels come from strangers."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def number(value: Any) -> str:
    """Four figures, or 'none'."""
    return "none" if value is None else f"{value:.4g}"


def epoch_line(row: Mapping[str, Any]) -> str:
    """One epoch: loss, validation, time, and whether it is the best so far."""
    parts = [f"epoch {row['epoch']}/{row.get('epochs', '?')}"]
    parts += [f"loss {number(row['loss'])}"] if row.get("loss") is not None else []
    parts += [f"{name} {number(value)}" for name, value in (row.get("val") or {}).items()]
    parts += [f"{row['seconds']:.1f} s"] if "seconds" in row else []
    return "  ".join(parts) + ("  best" if row.get("best") else "")


def figure_line(row: Mapping[str, Any]) -> str:
    """A metric with its interval and the baseline it had to beat."""
    line = f"{row['name']}: {number(row['value'])}"
    if row.get("low") is not None and row.get("high") is not None:
        line += f" ({number(row['low'])} to {number(row['high'])}, {row['level']:.0%} interval, n={row['count']})"
    else:
        line += f" (no interval, n={row['count']})"
    return line if row.get("baseline") is None else f"{line}, baseline {number(row['baseline'])}"


def parity_line(row: Mapping[str, Any]) -> str:
    """How far the exported model is from the trained one, in one part."""
    verdict = "equal" if row["equal"] else "DIFFERENT"
    return f"{row['part']}: gap {row['gap']:.2g}, allowed {row['tolerance']:.2g}, {verdict}"


def columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows of words under each other."""
    rows = [tuple(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def decision_line(decision: Decision | None) -> str:
    """What comes before an answer that a person should look at."""
    return f"not sure ({decision.why}): " if decision is not None and decision.unsure else ""


def answer_line(record: Annotation, most: int = 3) -> str:
    """What a model says about one picture, by the kind of its answer; at most so many names."""
    kind = type(record).__name__
    return _labels(record, most) if kind == "Labels" else _SAYS[kind](record)


def _labels(record: Any, most: int) -> str:
    if record.scores is None or not record.names:
        return ", ".join(record.names) or "no name"
    order = sorted(range(len(record.names)), key=lambda row: -float(record.scores[row]))[:most]
    return ", ".join(f"{record.names[row]} {float(record.scores[row]):.2f}" for row in order)


def _value(record: Any) -> str:
    ends = [""] * len(record.names)
    if record.low is not None and record.high is not None:
        ends = [f" ({float(low):.4g} to {float(high):.4g})" for low, high in zip(record.low, record.high, strict=True)]
    rows = zip(record.names, record.numbers, ends, strict=True)
    return ", ".join(f"{name} {float(value):.4g}{end}" for name, value, end in rows)


def _objects(record: Any) -> str:
    if not len(record):
        return "no objects"
    scores = [""] * len(record) if record.scores is None else [f" {float(score):.2f}" for score in record.scores]
    shown = [f"{record.names[row]}{score}" for row, score in zip(record.classes, scores, strict=True)][:8]
    more = f" and {len(record) - 8} more" if len(record) > 8 else ""
    return f"{len(record)} object{'s' if len(record) > 1 else ''}: {', '.join(shown)}{more}"


def _regions(record: Any) -> str:
    shares = [(float((record.classes == row).mean()), name) for row, name in enumerate(record.names)]
    return ", ".join(f"{name} {share:.0%}" for share, name in sorted(shares, reverse=True) if share > 0)


def _heatmap(record: Any) -> str:
    return f"score {record.score:.4g}"


def _picture(record: Any) -> str:
    return f"a picture of {' x '.join(map(str, record.pixels.shape))}, {record.pixels.dtype}"


def _text(record: Any) -> str:
    return str(record.text) if record.confidence is None else f"{record.text} ({record.confidence:.2f})"


def _vector(record: Any) -> str:
    return f"a vector of {len(record.values)}"


_SAYS: dict[str, Callable[[Any], str]] = {
    "Value": _value,
    "Objects": _objects,
    "Regions": _regions,
    "Heatmap": _heatmap,
    "Picture": _picture,
    "Text": _text,
    "Vector": _vector,
}
