"""Every layout into every other: what is not listed as lost is there and equal, sample by sample."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels, Objects, to_json
from sightline.core.conversion import Conversion, Loss, convert
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, StorageError
from sightline.core.image import ArrayImage, FileImage
from sightline.core.sample import Sample
from sightline.formats import jsonlines
from tests.contracts.test_formats import DATA, picture

FORMATS = catalog.names("formats")
RICH = [  # the sets that say most come first
    *("everything", "rich objects", "tracked points", "points", "hierarchy of small pictures", "hierarchy"),
    *("named instances", "outlines", "details", "key points", "masks", "boxes", "plain boxes", "changes"),
    *("before and after", "regions", "labels and splits", "small pictures", "gray pictures", "labels"),
    *("pictures and splits", "pictures"),
]
WORDS = {  # part of a sample -> words of a loss that excuse it
    "group": ("group",),
    "split": ("split",),
    "given": ("given",),
    "boxes": ("boxes", "rotation", "angles", "corner", "bounds"),
    "classes": ("names", "vocabulary", "class", "objects"),
    "names": ("names", "vocabulary", "class"),
    "scores": ("score",),
    "masks": ("mask",),
    "outlines": ("outline", "ring", "polygon", "hole"),
    "keypoints": ("key point", "keypoint", "point"),
    "mirror": ("mirror", "twins", "key point", "keypoint"),
    "tracks": ("track",),
    "texts": ("text",),
}


def rich(n: int) -> Sample:
    """A sample with all that is not its label."""
    truth = Labels((("good", "bad")[n % 2],))
    side = ("train", "val", "test")[n % 3]
    return Sample(
        f"set/{n}.png", (picture(n),), truth, {"prompt": "?"}, f"p{n // 2}", side, {"site": "x", "age": 30 + n}
    )


def crowd(n: int) -> Sample:
    """Objects with an outline that has a hole, a crowd, numbers of their own, and a group."""
    rings = (
        np.array([[1, 1], [6, 1], [6, 4], [1, 4]], np.float32),
        np.array([[2, 2], [3, 2], [3, 3], [2, 3]], np.float32),
    )
    truth = Objects(
        np.array([[1, 1, 6, 4], [0, 0, 2, 2]], np.float32), np.array([0, 1]), ("cell", "dirt"),
        outlines=(rings, ()), details=({"id": 10 + n}, {"id": 90 + n, "iscrowd": 1}),
    )  # fmt: skip
    return Sample(f"{n}.png", (picture(n),), truth, group=f"v{n % 2}", split=("train", "val")[n % 2])


SETS = {
    **DATA,
    "everything": Dataset([rich(n) for n in range(6)]),
    "rich objects": Dataset([crowd(n) for n in range(4)]),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Each layout with the first two sets that it holds whole."""
    found: dict[str, list[Path]] = {}
    for name in FORMATS:
        for what in RICH:
            path = tmp_path_factory.mktemp(name) / "data"
            try:
                found.setdefault(name, []).append(catalog.find("formats", name).write(SETS[what], path))
            except InputError:
                found[name] = [kept for kept in found[name] if kept.exists()]
            if len(found[name]) == 2:
                break
    return found


def print_of(sample: Sample) -> tuple[bytes, ...]:
    """The pixels, by which samples are told apart."""
    return tuple(
        f"{image.read().dtype}{image.read().shape}".encode() + image.read().tobytes() for image in sample.images
    )


def parts(truth: Annotation | None) -> dict[str, Any]:
    """A record by part; columns without rows say nothing, and types are those of the layout."""
    if truth is None:
        return {"kind": None}
    plain = to_json(truth, largest=10**9)
    if isinstance(truth, Objects):
        plain["classes"] = [truth.names[row] for row in truth.classes]
        if not len(truth):
            plain = {"kind": "objects"}
    plain.pop("names", None) if plain["kind"] in ("objects", "regions") else None
    return plain


def excused(part: str, losses: tuple[Loss, ...], kind: str | None) -> bool:
    words = WORDS.get(part, (part,))
    return any(
        word in loss.what for loss in losses for word in (*words, *([kind] if kind and part not in WORDS else []))
    )


def named(had: Any, has: Any, part: str, losses: tuple[Loss, ...]) -> bool:
    """Whether every key that differs is in a loss by its own name, or all of them by the name of the part."""
    if part == "details":
        rows = list(zip(had or [{}] * len(has or ()), has or [{}] * len(had or ()), strict=True))
    else:
        rows = [(had, has)]
    keys = {key for one, other in rows for key in {*one, *other} if one.get(key) != other.get(key)}
    keys -= {"mask"} if any("outline" in loss.what for loss in losses) else set()  # outlines that became masks say so
    whole = any(loss.what == part for loss in losses)
    return whole or all(any(f"'{key}'" in loss.what for loss in losses) for key in keys)


def same(before: Dataset, after: Dataset, done: Conversion) -> None:
    rows = [loss for loss in done.losses if loss.what.startswith("row")]
    beyond = any("beyond" in loss.what for loss in done.losses)
    there: dict[Any, list[Sample]] = {}
    for sample in after:
        there.setdefault(print_of(sample), []).append(sample)
    missing = 0
    for sample in before:
        key = print_of(sample)
        key = key[:1] if beyond and key not in there else key
        if not there.get(key):
            missing += 1
            continue
        other = there[key].pop(0)
        for part in ("group", "split", "given", "attributes"):
            had, has = getattr(sample, part), getattr(other, part)
            gone = named(had, has, part, done.losses) if part == "attributes" else excused(part, done.losses, None)
            assert had == has or gone, f"{sample.id}: {part} {had} {has}"
        mine, theirs = parts(sample.truth), parts(other.truth)
        if mine["kind"] != theirs["kind"]:
            words = (str(mine["kind"]), "label", "truth", "missing")
            assert any(word in loss.what for loss in done.losses for word in words), f"{mine['kind']} {theirs['kind']}"
            continue
        for part in sorted(mine.keys() | theirs.keys()):
            had, has, kind = mine.get(part), theirs.get(part), mine["kind"]
            gone = named(had, has, part, done.losses) if part == "details" else excused(part, done.losses, kind)
            assert had == has or gone, f"{sample.id}: {part} {had} {has}"
    assert missing == sum(loss.count for loss in rows), "a sample that is not there is a row that is listed"


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
def test_what_is_not_listed_is_kept(source: str, target: str, written: dict[str, list[Path]], tmp_path: Path) -> None:
    assert written[source]
    for number, path in enumerate(written[source]):
        before = open_data(path)
        out = tmp_path / f"out-{number}"
        done: Conversion | None
        try:
            done = convert(path, target, out)
        except InputError:  # this layout can hold nothing of it
            done = None
        if done is None:
            assert list(tmp_path.glob(f"*{out.name}*")) == [], "nothing half written"
            with pytest.raises(InputError):
                convert(path, target, tmp_path / "strict", strict=True)
            continue
        assert (done.format, done.to, done.given) == (source, target, len(before))
        after = open_data(out, format=target)
        assert done.count == len(after)
        whole = jsonlines.read(jsonlines.write(after, tmp_path / f"lines-{number}"))
        same(before, whole, done)
        if done.losses:
            with pytest.raises(InputError):
                convert(path, target, tmp_path / "strict", strict=True)
        else:
            assert convert(path, target, tmp_path / f"strict-{number}", strict=True).losses == ()
        assert sorted(print_of(one) for one in before) == sorted(print_of(one) for one in open_data(path)), "untouched"


def test_losses_are_counted_with_the_first_example(tmp_path: Path) -> None:
    done = convert(SETS["everything"], "folders", tmp_path / "out")
    assert Counter({loss.what: loss.count for loss in done.losses}) == {"group": 6, "given": 6, "attributes": 6}
    assert {loss.example for loss in done.losses} == {"set/0.png"}
    assert done.count == done.given == 6
    assert "3 kinds" in done.line
    assert done.to_json()["losses"][0].keys() == {"what", "count", "example"}


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    convert(DATA["labels"], "folders", tmp_path / "out")
    with pytest.raises(StorageError, match="is there already"):
        convert(DATA["labels"], "folders", tmp_path / "out")
    with pytest.raises(StorageError, match="lies inside"):
        convert(tmp_path / "out", "csv", tmp_path / "out" / "csv")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["bad", "good"]


def test_pictures_are_copied_and_not_linked(tmp_path: Path) -> None:
    convert(DATA["labels"], "folders", tmp_path / "out")
    convert(tmp_path / "out", "csv", tmp_path / "copy")
    files = [Path(one.image.name) for one in open_data(tmp_path / "copy")]
    assert all(file.stat().st_nlink == 1 and not file.is_symlink() for file in files)
    came = {file.read_bytes() for file in (tmp_path / "out").rglob("*.png")}
    assert {file.read_bytes() for file in files} == came


def test_a_picture_that_is_gone_stops_it_whole(tmp_path: Path) -> None:
    data = Dataset([*DATA["labels"], Sample("x", (FileImage(tmp_path / "gone.png"),), Labels(("good",)))])
    with pytest.raises(InputError, match=r"gone\.png"):
        convert(data, "csv", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told(tmp_path: Path) -> None:
    image = ArrayImage(np.zeros((1, 1, 1), np.uint8))
    events: list[Any] = []
    convert(
        Dataset([Sample(f"{n}", (image,)) for n in range(1000)]), "webdataset", tmp_path / "out", tell=events.append
    )
    assert [event.facts["done"] for event in events if event.kind == "progress"][-1] == 1000
    assert events[-1].facts["count"] == 1000
