"""What one pass over a COCO file shows: where images and annotations stand, and which belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sightline.core.errors import InputError
from sightline.formats import _json
from sightline.formats._coco_names import Categories
from sightline.formats._scan import MISSING, Rows, line_at, scan

LISTS = {"images": ("id",), "annotations": ("image_id", "category_id")}
_LONGEST = 64 * 2**20  # bytes of one object


class Source:
    """One file: its index, its categories, and where its pictures lie."""

    def __init__(self, file: Path, top: Path, split: str | None, several: bool) -> None:
        self.file, self.split, self.several = file, split, several
        found = scan(file, LISTS)
        self.changed = file.stat().st_mtime_ns
        if "images" not in found.lists:
            raise InputError("label", f"{file}: lists no 'images'.")
        self.images = found.lists["images"]
        self.labelled = "annotations" in found.lists
        empty = Rows(
            np.zeros(0, np.int64), np.zeros(0, np.int64), dict.fromkeys(LISTS["annotations"], np.zeros(0, np.int64))
        )
        self.annotations = found.lists.get("annotations", empty)
        self.categories = Categories(found.value("categories") if "categories" in found.keys else [], f"{file}")
        others = [key for key in found.keys if key not in ("images", "annotations", "categories")]
        self.told = {key: found.value(key) for key in others}
        self._join()
        self.panoptic = bool(len(self.annotations)) and "segments_info" in self.built(self.annotations, 0)
        self.root = self._pictures(top)

    def _join(self) -> None:
        """Which annotations belong to which image, as places in one sorted list."""
        ids, of = self.images.numbers["id"], self.annotations.numbers["image_id"]
        self._refuse(self.images, ids == MISSING, "an image needs an 'id', a whole number")
        self._refuse(self.annotations, of == MISSING, "an annotation needs an 'image_id', a whole number")
        order = np.argsort(ids, kind="stable")
        again = np.zeros(len(ids), bool)
        again[order[1:]] = ids[order[1:]] == ids[order[:-1]]
        self._refuse(self.images, again, "an image has the 'id' of another one")
        self.order = np.argsort(of, kind="stable")
        sorted_of = of[self.order]
        self.low, self.high = np.searchsorted(sorted_of, ids, "left"), np.searchsorted(sorted_of, ids, "right")
        if int((self.high - self.low).sum()) != len(of):
            self._refuse(self.annotations, ~np.isin(of, ids), "the 'image_id' of an annotation is no image's 'id'")

    def _refuse(self, rows: Rows, wrong: np.ndarray, why: str) -> None:
        if wrong.any():
            place = int(rows.starts[int(np.argmax(wrong))])
            raise InputError("label", f"{self.file} line {line_at(self.file, place)}: {why}.")

    def _pictures(self, top: Path) -> Path:
        """The folder in which the first pictures are found: where COCO's own files, and others' tools, keep them."""
        beside, word = self.file.parent, self.file.stem.rpartition("_")[2]
        sides = [word, *([self.split] if self.split else [])]
        names = [self.built(self.images, row).get("file_name") for row in range(min(3, len(self.images)))]
        folders = [top / "images" / side for side in sides] + [top / side for side in sides]
        folders += [beside, top / "images", top, top / "data"]
        for folder in folders:
            for name in names:
                if isinstance(name, str) and "\0" not in name and len(name) < 1000 and (folder / name).is_file():
                    return folder
        return next((folder for folder in folders if folder not in (beside, top) and folder.is_dir()), beside)

    def built(self, rows: Rows, row: int, opened: BinaryIO | None = None) -> dict[str, Any]:
        """One object of the file, as its text says now."""
        start, end = int(rows.starts[row]), int(rows.ends[row])
        if end - start > _LONGEST:
            raise InputError("too_large", f"{self.file}: an object of more than {_LONGEST:,} bytes.")
        if opened is None:
            with self.file.open("rb") as again:
                return self.built(rows, row, again)
        opened.seek(start)
        try:
            return dict(_json.table(_json.parse(opened.read(end - start), str(self.file)), "this", str(self.file)))
        except InputError as error:
            raise self.at(start, error) from error

    def splits(self) -> list[str | None]:
        """The split of every image."""
        return [self.split] * len(self.images)

    def names(self) -> list[tuple[str, ...]]:
        """The name of each thing in every image."""
        numbers = self.annotations.numbers["category_id"][self.order].tolist()
        named = [self.categories.names.get(number, "") for number in numbers]
        spans = zip(self.low.tolist(), self.high.tolist(), strict=True)
        return [tuple(named[low:high]) for low, high in spans]

    def ids(self) -> list[str]:
        """What every image is called."""
        made = []
        with self.file.open("rb") as opened:
            for begin in range(0, len(self.images), 1024):
                starts = self.images.starts[begin : begin + 1024].tolist()
                opened.seek(starts[0])
                part = opened.read(int(self.images.ends[begin : begin + 1024][-1]) - starts[0])
                for start, end in zip(starts, self.images.ends[begin : begin + 1024].tolist(), strict=True):
                    image = _json.parse(part[start - starts[0] : end - starts[0]], str(self.file))
                    made.append(self.called(image.get("file_name")))
        return made

    def called(self, name: Any) -> str:
        """The id of an image with this file."""
        return f"{self.split}/{name}" if self.several and self.split is not None else str(name)

    def at(self, place: int, error: InputError) -> InputError:
        """The same error with the line in it."""
        text = error.message.removeprefix(f"{self.file}: ")
        if text.startswith(f"{self.file} line"):
            return error
        return InputError(error.code, f"{self.file} line {line_at(self.file, place)}: {text}")
