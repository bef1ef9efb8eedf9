"""Whether some names are rare, and what is done about it without being asked.

On drawn and real pictures with 10 of a name beside 1,000 of another, showing every name as often was the best of five
ways: it finds more of the rare name, answers no worse as a whole and stays as calibrated. Weights of names in the loss,
and logits moved by how common a name is, answered the rare name nearly always.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.progress import Event, Tell
from sightline.core.task import Task
from sightline.training.settings import Settings

UNEVEN = 3.0  # times as many of the commonest name as of the rarest


def imbalance(task: Task, data: Dataset, settings: Settings) -> dict[str, Any] | None:
    """What is uneven on the training side and what is done, as plain JSON; None where names are even or are none."""
    if not task.even or data.kind is not Labels:
        return None
    named = data.column("names")
    counts = Counter(row[0] if len(row) == 1 else _best(data[place].truth) for place, row in enumerate(named))
    if len(counts) < 2:
        return None
    (common, most), (rare, least) = counts.most_common()[0], min(counts.items(), key=lambda pair: (pair[1], pair[0]))
    if most <= UNEVEN * least:
        return None
    return {
        "counts": dict(sorted(counts.items())),
        "ratio": most / least,
        "common": common,
        "rare": rare,
        "sampling": "balanced" if settings.sampling == "auto" else settings.sampling,
        "kept_by": task.even,
    }


def handled(found: dict[str, Any] | None, settings: Settings, tell: Tell) -> Settings:
    """The settings with a way of sampling, and a line where names are uneven."""
    if found is None:
        return replace(settings, sampling="plain") if settings.sampling == "auto" else settings
    most, least = found["counts"][found["common"]], found["counts"][found["rare"]]
    text = f"names are uneven ({found['common']} {most:,}, {found['rare']} {least:,}): "
    if settings.sampling == "auto":
        text += "every name is shown as often (--set train.sampling=plain does not), and "
    text += f"the epoch with the best {found['kept_by'].replace('_', ' ')} is kept"
    tell(Event("note", text, {"imbalance": found}))
    return replace(settings, sampling=found["sampling"])


def _best(truth: Any) -> str:
    """The name that a label with several, by their scores, counts for."""
    return str(truth.best) if isinstance(truth, Labels) else "nothing"
