"""Label Studio JSON: tasks with rectangles, polygons, ellipses, brushes, key points and choices, in percent.

Pictures are looked for by what a task names: a path, the `d=` of local files, or else the last part of an upload's or a
bucket's address; nothing is fetched. A task without a finished annotation is unlabelled. Of several annotations the one
that is marked as ground truth is read, or the first; the others, and predictions, stay with the sample's attributes as
they are. Choices are `Labels` where nothing else is labelled. `config.xml`, the labelling set-up, gives all names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sightline.core.annotations import Annotation, Labels, Objects
from sightline.core.dataset import SIDES, Dataset
from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES, FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _json, _labels, _studio_shapes, _studio_write, _walk, _xml
from sightline.formats._paths import inside
from sightline.formats._scan import Rows, line_at, scan_list

LAYOUT = 'photos/tasks.json with [{"data": {"image": "1.jpg"}, "annotations": [{"result": [...]}]}]'
_TASK = ("id", "data", "annotations", "predictions")
_LARGEST = 256 * 2**20  # bytes of one task
_IMAGE = ("image", "img", "picture", "photo")


def sniff(path: Path) -> Fit:
    """Natural where one JSON file lists tasks with data and annotations or predictions."""
    files = _files(path)
    if not files:
        return Fit(0, "no JSON file that lists tasks")
    if len(files) > 1:
        return Fit(1, f"{files[0].name} and {files[1].name} list tasks; name one of the files")
    return Fit(2, f"{files[0].name} lists tasks")


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() == ".json" and _lists_tasks(path) else []
    try:
        found = [Path(entry.path) for entry in _walk.entries(path) if entry.name.lower().endswith(".json")]
    except InputError:
        return []
    return [file for file in found[:20] if _lists_tasks(file)]


def _lists_tasks(file: Path) -> bool:
    ends = _labels.ends_of(file, 16384)
    begins = ends.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
    return begins and b'"data"' in ends and (b'"annotations"' in ends or b'"predictions"' in ends)


def read(path: Path) -> Dataset:
    """Every task's picture with what was annotated in it; results are read when they are asked for."""
    files = _files(path)
    if len(files) != 1:
        why = f"holds {len(files)} JSON files that list tasks; name one" if files else "holds no JSON file of tasks"
        raise InputError("label", f"{path} {why}. Wanted: {LAYOUT}.")
    index = _Index(files[0])
    kind = None if not index.labelled else Labels if index.choices else Objects
    name = files[0].parent.resolve().name
    return Dataset(index.samples(), name=name, names=index.names, kind=kind)


@dataclass(slots=True)
class _Index:
    """One pass over the file: where each task stands, and which names there are."""

    file: Path
    rows: Rows
    names: tuple[str, ...]
    choices: bool
    labelled: bool
    changed: int

    def __init__(self, file: Path) -> None:
        self.file, self.rows = file, scan_list(file, "tasks")
        self.changed = file.stat().st_mtime_ns
        labels, chosen = _configured(file.parent / "config.xml")
        found: dict[bool, set[str]] = {True: set(), False: set()}  # names of choices, names of labels
        shapes, self.labelled = bool(labels), False
        for row in range(len(self.rows)):
            task = self.task(row)
            annotation = _studio_shapes.chosen(task, self.where(row))
            self.labelled |= annotation is not None
            for result in _studio_shapes.results(annotation, self.where(row)):
                region, chooses = _studio_shapes.is_region(result), result.get("type") == "choices"
                shapes = shapes or region
                if not (region and chooses):
                    found[chooses] |= set(_studio_shapes.named(result, self.where(row)))
        self.choices = not shapes and bool(found[True] or chosen)
        listed = chosen if self.choices else labels
        self.names = (*listed, *sorted(found[self.choices].difference(listed)))

    def where(self, row: int) -> str:
        return f"{self.file} task {row}"

    def samples(self) -> _labels.Lazily:
        return _labels.Lazily(range(len(self.rows)), self.sample)

    def task(self, row: int) -> dict[str, Any]:
        """One task as the file says it now."""
        start, end = int(self.rows.starts[row]), int(self.rows.ends[row])
        try:
            with self.file.open("rb") as opened:
                if self.file.stat().st_mtime_ns != self.changed:
                    raise InputError("corrupt", f"{self.file} changed after it was opened; open it again.")
                opened.seek(start)
                data = opened.read(min(end - start, _LARGEST))
        except OSError as error:
            raise InputError("missing", f"{self.file}: {error.strerror or error}.") from error
        return dict(_json.table(_json.parse(data, self.where(row)), "a task", self.where(row)))

    def sample(self, row: int) -> Sample:
        """A picture with what was annotated in it, what else is said of it, and its split and group."""
        try:
            return self._sample(row)
        except InputError as error:
            line = line_at(self.file, int(self.rows.starts[row]))
            text = error.message.replace(self.where(row), f"{self.file} line {line}, task {row}", 1)
            raise InputError(error.code, text) from error

    def _sample(self, row: int) -> Sample:
        task, where = self.task(row), self.where(row)
        data = dict(_json.table(task.get("data"), "'data'", where))
        key = _image_key(data, where)
        image = FileImage(_found(self.file.parent, data.pop(key), where))
        split = data.pop("split") if data.get("split") in SIDES else None
        group = data.pop("group") if isinstance(data.get("group"), str) else None
        attributes = {**data, **({} if key == "image" else {"image key": key})}
        if task.get("id", row + 1) != row + 1:
            attributes["id"] = task["id"]
        annotation = _studio_shapes.chosen(task, where)
        rest = {name: value for name, value in (annotation or {}).items() if name != "result"}
        others = [one for one in task.get("annotations") or [] if one is not annotation]
        left = {name: value for name, value in task.items() if name not in _TASK}
        kept = {"annotation": rest, "annotations": others, "predictions": task.get("predictions"), "task": left}
        attributes |= {name: value for name, value in kept.items() if value}
        truth: Annotation | None = None
        if annotation is not None:
            truth, more = self._truth(annotation, image.path, where)
            attributes |= more
        inner = image.path.relative_to(self.file.parent).as_posix().removeprefix("images/")
        return Sample(inner, (image,), truth, group=group, split=split, attributes=attributes)

    def _truth(self, annotation: Mapping[str, Any], path: Path, where: str) -> tuple[Annotation, dict[str, Any]]:
        results = _studio_shapes.results(annotation, where)
        loose = [one for one in results if not _studio_shapes.is_region(one)]
        chosen = [name for one in loose for name in _studio_shapes.named(one, where)]
        plain = all(set(one) <= {"id", "type", "value", "from_name", "to_name"} for one in loose)
        if self.choices:
            simple = plain and all(one.get("from_name") == "choice" for one in loose) and len(loose) <= 1
            return Labels(tuple(dict.fromkeys(chosen))), {} if simple else {"results": loose}
        things = _studio_shapes.things([one for one in results if _studio_shapes.is_region(one)], path, where)
        return _labels.gathered(things, self.names), {"results": loose} if loose else {}


def _configured(file: Path) -> tuple[list[str], list[str]]:
    """Names of labels and of choices in the labelling set-up, in its order."""
    if not file.is_file():
        return [], []
    nodes, labels, choices = [_xml.document(file, "View")], dict[str, None](), dict[str, None]()
    for node in nodes:
        nodes += node.children
        if node.tag in ("Label", "Choice"):
            (labels if node.tag == "Label" else choices)[node.given("value")] = None
    return list(labels), [name for name in choices if name not in labels]


def _image_key(data: Mapping[str, Any], where: str) -> str:
    """Which part of the data is the picture."""
    keys = [key for key, value in data.items() if isinstance(value, str) and value]
    for key in (*_IMAGE, *(key for key in keys if data[key].lower().split("?")[0].endswith(SUFFIXES)), *keys):
        if key in keys:
            return key
    raise InputError("label", f"{where}: its 'data' names no picture.")


def _found(folder: Path, name: str, where: str) -> Path:
    """The picture in the folder of the file, or in its `images`."""
    parts = urlsplit(name) if "://" in name or name.startswith("/data/") else None
    if parts is None:
        words = [name]
    elif parts.path.startswith("/data/local-files"):
        words = [unquote(parse_qs(parts.query).get("d", [""])[0])]
    else:
        words = [PurePosixPath(unquote(parts.path)).name]
    tried = [inside(folder, word, where) for word in (words[0], f"images/{words[0]}", PurePosixPath(words[0]).name)]
    return next((path for path in tried if path.is_file()), tried[0])


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """Pictures under images, tasks that name them as local files, and a set-up with all names."""
    return _studio_write.write(data, path, Lost("labelstudio") if lost is None else lost)
