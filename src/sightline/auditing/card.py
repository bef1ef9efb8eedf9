"""A data set on one page of Markdown: what can be counted is counted, what only people know is asked and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.auditing.audit import Audit
from sightline.core.dataset import SIDES, Dataset
from sightline.core.files import write_durably
from sightline.core.measures import measured
from sightline.core.splitting import split_digest

PEOPLE = "## Told by people"  # from here on the file belongs to its readers and is never written over
MOST = 30  # names and values that a table lists
_ASKED = (
    ("Where the pictures come from, and who took them", "unstated"),
    ("Licence, and what it allows", "unstated"),
    ("Who labelled them, by which guideline, and how far they agreed", "unstated (see: sightline agree)"),
    ("Consent, people in the pictures, what must not be published", "unstated"),
    ("What it is for, and what it must not be used for", "unstated"),
    ("Whom to ask", "unstated"),
)


def write_card(path: Path, made: Audit, data: Dataset) -> Path:
    """Write the card; of one that is there the counted part is renewed and what people wrote stays."""
    said = _told(path) or "\n".join([PEOPLE, "", *(f"- **{question}**: {answer}" for question, answer in _ASKED), ""])
    write_durably(path, (card_text(made, data) + said).encode())
    return path


def card_text(made: Audit, data: Dataset) -> str:
    """The part that is counted."""
    parts = [
        f"# {made.name}",
        "",
        f"{made.line}.",
        "",
        *_table(("what", "value"), _facts(made, data)),
        *_section("Names", ("name", "count"), [(name, f"{count:,}") for name, count in made.names.items()]),
        *_section("Sides", ("side", "samples"), _sides(data)),
        *_section("Attributes", ("attribute", "values"), _attributes(data)),
        *_section("Pictures", ("measure", "lowest 5 %", "middle", "highest 5 %"), _measures(data)),
        *_findings(made),
    ]
    return "\n".join([*parts, ""])


def _told(path: Path) -> str:
    """What people wrote into the card that is there; the whole of a file that is no card of ours is never lost."""
    if not path.is_file():
        return ""
    text = path.read_text("utf-8")
    place = text.find(PEOPLE)
    return text[place:] if place >= 0 else f"{PEOPLE}\n\n{text}"


def _facts(made: Audit, data: Dataset) -> list[tuple[str, str]]:
    groups = {group for group in data.column("group") if group is not None}
    sides = any(side in SIDES for side in data.column("split"))
    facts = [
        ("samples", f"{made.count:,}"),
        ("labelled with", made.kind or "nothing"),
        ("groups (never parted)", f"{len(groups):,}" if groups else "none"),
        ("version: fingerprint of pictures and labels", f"`{made.fingerprint}`"),
    ]
    facts += [("hash of the split", f"`{split_digest(data)}`")] if sides else []
    facts += [("difficulty", made.difficulty.line.removeprefix("difficulty: "))] if made.difficulty else []
    return facts


def _sides(data: Dataset) -> list[tuple[str, str]]:
    counts = Counter(side or "no side" for side in data.column("split"))
    return [] if set(counts) <= {"no side"} else [(side, f"{count:,}") for side, count in sorted(counts.items())]


def _attributes(data: Dataset) -> list[tuple[str, str]]:
    values: dict[str, Counter[str]] = {}
    for attributes in data.column("attributes"):
        for name, value in attributes.items():
            values.setdefault(str(name), Counter())[str(value)] += 1
    return [(name, _spread(counts)) for name, counts in sorted(values.items())]


def _spread(counts: Counter[str]) -> str:
    shown = ", ".join(f"{value} ({count:,})" for value, count in counts.most_common(6))
    return f"{shown} and {len(counts) - 6:,} more" if len(counts) > 6 else shown


def _measures(data: Dataset) -> list[tuple[str, str, str, str]]:
    known = measured(data)
    rows = []
    for name in ("columns", "rows", "channels", "bits", "brightness", "contrast", "blur", "noise"):
        values = known[name] if len(known) else np.zeros(0)
        values = values[np.isfinite(values)]
        if len(values):
            low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
            rows.append((name, f"{low:.4g}", f"{middle:.4g}", f"{high:.4g}"))
    return rows


def _findings(made: Audit) -> list[str]:
    lines = [f"- {finding.severity}: {finding.text}. {finding.do}".rstrip() for finding in made.findings]
    depth = "the quick look" if made.depth == "quick" else "the whole audit"
    return [f"## Known faults, by {depth}", "", *(_plain(line) for line in lines or ["- none"]), ""]


def _section(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"## {title}", "", *_table(heads, rows)] if rows else []


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    lines += ["| " + " | ".join(_plain(str(cell)) for cell in row) + " |" for row in rows[:MOST]]
    more = len(rows) - MOST
    return [*lines, *([f"| and {more:,} more |" + " |" * (len(heads) - 1)] if more > 0 else []), ""]


def _plain(text: str) -> str:
    """One line that cannot break out of a table or become a tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
