"""What lies beside pictures and speaks of them in a way that no layout reads: labels are not passed over in silence."""

from __future__ import annotations

from pathlib import Path

from sightline.core.sides import is_sides
from sightline.formats import _walk

_SHEETS = (".xlsx", ".xls", ".ods")
_TEXTS = (".txt", ".json", ".jsonl", ".ndjson", ".xml", ".csv", ".tsv", ".yaml", ".yml", ".caption")
_INSIDE = 20  # folders that are looked into
_FILES = 50  # files of a folder that are opened
_NAMES = 5  # pictures whose names are looked for
_BEGIN = 2**16  # bytes of a file in which they are looked for


def unread(path: Path) -> str | None:
    """The first file that is called like a picture beside it, or names one, or is a spreadsheet; None where none is."""
    for folder in (path, *_walk.subfolders(path)[:_INSIDE]):
        look = _walk.look(folder)
        if not look.pictures:
            continue
        called = {Path(name).stem for name in look.pictures}
        wanted = [name.encode() for name in look.pictures[:_NAMES]]
        texts = [name for name in look.others if name.lower().endswith(_TEXTS) and name not in _walk.MADE]
        beside = [name for name in texts if Path(name).stem in called]
        naming = [name for name in texts[:_FILES] if _names(folder / name, wanted)]
        sheets = [name for name in look.others if name.lower().endswith(_SHEETS)]
        if found := (*beside, *naming, *sheets):
            return (folder / found[0]).relative_to(path).as_posix()
    return None


def _names(file: Path, wanted: list[bytes]) -> bool:
    """Whether a file that none of ours wrote mentions one of these pictures early on."""
    try:
        with file.open("rb") as opened:
            begin = opened.read(_BEGIN)
    except OSError:
        return False
    return any(name in begin for name in wanted) and not is_sides(file)
