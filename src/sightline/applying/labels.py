"""Labels of the sources kept for what a chain made of them, wherever they still hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sightline.applying.chain import Chain
from sightline.applying.ledger import LABELS, Ledger, Row, write_lines
from sightline.core.annotations import Labels, Picture, Text, Value, Vector, to_json
from sightline.core.dataset import Dataset

_WHOLE = (Labels, Text, Value, Vector)  # true of the picture, wherever its pixels lie


def keep_labels(folder: Path, data: Dataset, ledger: Ledger, chain: Chain) -> str:
    """Write the labels as samples that `open_data` reads, and say what became of them; nothing where there are none."""
    if data.kind is None or not chain.edits:
        return ""
    found: Counter[str] = Counter()
    write_lines(folder / LABELS, _lines(data, ledger, found))
    lines = [f"{found['kept']:,} kept in {folder / LABELS}"]
    if found["moved"]:
        lines.append(f"{found['moved']:,} left out, since the chain moves what they point at")
    if found["picture"]:
        lines.append(f"{found['picture']:,} left out, since they are pictures themselves")
    return f"labels: {', '.join(lines)}"


def _lines(data: Dataset, ledger: Ledger, found: Counter[str]) -> Iterator[Row]:
    kind = data.kind.__name__.lower() if data.kind else None
    yield {"sightline": "samples", "version": 1, "name": data.name, "names": list(data.names), "kind": kind}
    for sample in data:
        row = ledger.row(sample.id)
        if "error" in row or sample.truth is None:
            continue
        if isinstance(sample.truth, Picture) or (row["moved"] and not isinstance(sample.truth, _WHOLE)):
            found["picture" if isinstance(sample.truth, Picture) else "moved"] += 1
            continue
        found["kept"] += 1
        line: dict[str, Any] = {"id": sample.id, "images": [row["output"]], "truth": to_json(sample.truth)}
        for key in ("group", "split", "attributes"):
            value = getattr(sample, key)
            if value:
                line[key] = dict(value) if key == "attributes" else value
        yield line
