"""Apply a chain to one picture, or to all of a folder or data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sightline.applying.chain import Chain, Outcome
from sightline.applying.folder import Applied, apply_all
from sightline.core.errors import SettingsError
from sightline.core.progress import Tell, silent
from sightline.core.sample import Sample


def apply(
    chain: Any,
    what: Any,
    out: str | Path | None = None,
    *,
    suffix: str | None = None,
    workers: int | None = None,
    format: str | None = None,
    fresh: bool = False,
    tell: Tell = silent,
) -> Outcome | Applied:
    """One picture (pixels, a file, bytes, a sample) gives what becomes of it; data gives a folder `out` of pictures.

    In a folder every picture is noted in manifest.jsonl, and the same call continues where it was stopped.
    """
    ready = Chain.parse(chain)
    if out is not None:
        return apply_all(ready, what, out, suffix=suffix, workers=workers, format=format, fresh=fresh, tell=tell)
    if isinstance(what, np.ndarray | bytes | Sample) or (hasattr(what, "fingerprint") and hasattr(what, "encoded")):
        return ready(what)
    if isinstance(what, str | Path) and Path(what).is_file():
        return ready(what)
    raise SettingsError(f"apply: {what!s:.80} is not one picture; name a folder for what is made of it with out.")
