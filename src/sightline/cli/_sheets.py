"""Answers as pictures: one drawn file a sample, or all of them on one sheet."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.cli._display import plain
from sightline.core import catalog
from sightline.core.annotations import Annotation, Picture, Text
from sightline.core.files import write_durably
from sightline.core.image import encode
from sightline.core.sample import Sample
from sightline.overlays import draw

TILE = 192  # pixels of a side on a sheet


class Folder:
    """Takes answers one by one; predictions.jsonl appears whole at the end."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows, self.taken = path, list[str](), set[str]()

    def add(self, sample: Sample, answer: Annotation, row: Mapping[str, Any]) -> None:
        """Draw one answer and keep its row."""
        doubt = str((row.get("decision") or {}).get("why", ""))
        data = encode(answer.pixels if isinstance(answer, Picture) else drawn(sample, answer, doubt))
        name = self._free(sample.id) + (".png" if data.startswith(b"\x89PNG") else ".npy")
        write_durably(self.path / name, data)
        self.rows.append(json.dumps(plain({**row, "drawn": name})))

    def close(self, failed: Sequence[Mapping[str, Any]]) -> Path:
        """Write the rows, those of unreadable pictures last."""
        lines = [*self.rows, *(json.dumps(plain(row)) for row in failed)]
        write_durably(self.path / "predictions.jsonl", "".join(f"{line}\n" for line in lines).encode())
        return self.path / "predictions.jsonl"

    def _free(self, name: str) -> str:
        """A name that is plain, and that no other sample of this folder has."""
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).stem)[:80].strip(".-") or "picture"
        free, number = stem, 1
        while free.lower() in self.taken:
            number += 1
            free = f"{stem}-{number}"
        self.taken.add(free.lower())
        return free


def drawn(sample: Sample, answer: Annotation, doubt: str = "") -> np.ndarray:
    """The picture with what is known of it drawn on, and any doubt below it; uint8, three channels."""
    pixels = sample.pixels() if sample.images else getattr(answer, "pixels", np.zeros((TILE, TILE, 3), np.uint8))
    shown = draw(pixels, answer, least=TILE)
    return catalog.find("overlays", "text")(shown, Text(f"not sure: {doubt}")) if doubt else shown


def sheet(pictures: Sequence[np.ndarray], across: int) -> np.ndarray:
    """Pictures in rows on one, each fitted into a square."""
    import cv2

    down = -(-len(pictures) // across)
    board = np.full((down * TILE, across * TILE, 3), 255, np.uint8)
    for place, picture in enumerate(pictures):
        scale = TILE / max(picture.shape[:2])
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        y, x = place // across * TILE, place % across * TILE
        board[y : y + size[1], x : x + size[0]] = small
    return board
