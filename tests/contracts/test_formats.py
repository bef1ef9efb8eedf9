"""Every layout: what it writes it reads back without loss, what it cannot hold it refuses, and junk is one line."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import (
    Annotation,
    Heatmap,
    Labels,
    Objects,
    Picture,
    Regions,
    Text,
    Value,
    Vector,
    to_columns,
)
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SightlineError, StorageError
from sightline.core.image import ArrayImage, BytesImage, FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit

FORMATS = catalog.names("formats")


def picture(seed: int, dtype: Any = np.uint8, shape: tuple[int, ...] = (5, 7, 3)) -> ArrayImage:
    return ArrayImage((np.random.default_rng(seed).random(shape) * 200).astype(dtype))


def many(make: Callable[[int], Sample], count: int = 6) -> Dataset:
    return Dataset([make(n) for n in range(count)])


def labelled(n: int) -> Sample:
    return Sample(f"{n}.png", (picture(n),), Labels((("good", "bad")[n % 2],)))


def with_truth(truth: Annotation) -> Dataset:
    return many(lambda n: Sample(f"{n}", (picture(n),), truth), 2)


TREE = {name: name.split("/")[0] for name in ("cat/lion", "cat/lynx", "dog/wolf", "dog/fox")}


def numbered(names: tuple[str, ...], classes: list[int]) -> Objects:
    """Objects whose boxes are the bounds of masks that do not overlap."""
    masks = np.zeros((len(classes), 5, 7), bool)
    boxes = np.array([[2 * row, 1, 2 * row + 2, 4] for row in range(len(classes))], np.float32).reshape(-1, 4)
    for row, mask in enumerate(masks):
        mask[1:4, 2 * row : 2 * row + 2] = True
    return Objects(boxes, np.array(classes, np.int64), names, masks=masks)


def pointed(n: int) -> Objects:
    """One object whose box is the bounds of its points, one of them absent."""
    points = np.array([[[1, 2, 2], [3.5, 4 + n, 2], [0, 0, 0]]], np.float32)
    return Objects(np.array([[1, 2, 3.5, 4 + n]], np.float32), np.array([0]), ("individual",), keypoints=points)


BOXES = Objects(
    np.array([[1, 2, 3.1, 4]], np.float32), np.array([1]), ("a", "b"), np.array([0.5]), np.ones((1, 5, 7), bool),
    np.ones((1, 2, 3), np.float32), np.array([7]), ("ä\n",), (1, 0),
    ((np.array([[1, 2.1], [3, 2], [3, 4]], np.float32), np.ones((3, 2), np.float32)),),
    ({"id": 1, "tag": ["a", None]},),
)  # fmt: skip
LARGE = np.random.default_rng(0).random((80, 90))
DATA = {
    "labels": many(labelled),
    "labels and splits": many(lambda n: replace(labelled(n), split=("train", "val", "test")[n // 2])),
    "labels in folders": many(lambda n: replace(labelled(n), id=f"deep/er/{n}")),
    "same names": many(lambda n: replace(labelled(n), id=f"{n}/same")),
    "pictures": many(lambda n: Sample(f"{n}", (picture(n),))),
    "pictures and splits": many(lambda n: Sample(f"{n}", (picture(n),), split=("train", "test")[n % 2])),
    "deep pictures": many(lambda n: Sample(f"{n}", (picture(n, np.uint16, (4, 5, 5)),))),
    "volumes": many(lambda n: Sample(f"{n}", (picture(n, np.float32, (3, 4, 5, 1)),))),
    "groups": many(lambda n: replace(labelled(n), group="g")),
    "attributes": many(lambda n: replace(labelled(n), attributes={"site": {"a": [1, None, 2.5, True]}})),
    "given": many(lambda n: replace(labelled(n), given={"prompt": "a cat"})),
    "pairs": many(lambda n: replace(labelled(n), images=(picture(n), picture(n + 9)))),
    "requests": many(lambda n: Sample(f"{n}", given={"prompt": "a dog"})),
    "two labels": with_truth(Labels(("a", "b"), np.array([0.5, 0.25], np.float32))),
    "no label": with_truth(Labels(())),
    "names that are no folders": many(lambda n: replace(labelled(n), truth=Labels((("a/b", "..")[n % 2],)))),
    "names of splits": many(lambda n: replace(labelled(n), truth=Labels((("train", "test")[n % 2],)))),
    "half a split": many(lambda n: replace(labelled(n), split="train" if n else None)),
    "value": with_truth(Value(("x",), np.array([1.5]), np.array([np.nan]), None)),
    "objects": with_truth(BOXES),
    "no objects": with_truth(BOXES.take([])),
    "plain boxes": with_truth(Objects(BOXES.boxes, BOXES.classes, BOXES.names)),
    "boxes with scores": with_truth(Objects(BOXES.boxes, BOXES.classes, BOXES.names, np.ones(1, np.float32))),
    "masks": with_truth(Objects(BOXES.boxes, BOXES.classes, BOXES.names, masks=BOXES.masks)),
    "outlines": with_truth(Objects(BOXES.boxes, BOXES.classes, BOXES.names, outlines=BOXES.outlines)),
    "key points": with_truth(
        Objects(BOXES.boxes, BOXES.classes, BOXES.names, keypoints=BOXES.keypoints, mirror=BOXES.mirror)
    ),
    "details": with_truth(Objects(BOXES.boxes, BOXES.classes, BOXES.names, details=({"id": 7, "difficult": True},))),
    "details of the whole": Dataset(
        [Sample("0", (picture(0),), Objects(BOXES.boxes, BOXES.classes, BOXES.names))],
        details={"parents": {"a": "any"}, "info": [1]},
    ),
    "rotated": with_truth(Objects(np.ones((1, 5), np.float32), np.array([0]), ("a",))),
    "large masks": with_truth(replace(BOXES.take([0, 0]), masks=np.stack([LARGE > 0.5, LARGE > 0.2]))),
    "regions": with_truth(Regions(np.eye(4, dtype=np.uint8), ("a", "b"))),
    "large regions": with_truth(Regions((LARGE * 300).astype(np.uint16) % 2, ("a", "b"))),
    "large volume": with_truth(Regions(np.ones((20, 30, 40), np.int64), ("a", "b"))),
    "heatmap": with_truth(Heatmap(LARGE.astype(np.float32), 0.125)),
    "small picture": with_truth(Picture(np.ones((4, 5, 3), np.uint8))),
    "large picture": with_truth(Picture((LARGE[..., None].repeat(3, 2) * 255).astype(np.uint8))),
    "deep picture": with_truth(Picture((LARGE[..., None].repeat(5, 2) * 65535).astype(np.uint16))),
    "float picture": with_truth(Picture(LARGE[..., None].astype(np.float32))),
    "text": with_truth(Text("a\ncat", 0.5)),
    "vector": with_truth(Vector(np.arange(5000, dtype=np.float64))),
    "several labels": many(lambda n: replace(labelled(n), truth=Labels((("b", "a"), ("b",), ())[n % 3]))),
    "plain attributes": many(lambda n: replace(labelled(n), group=f"g{n}", attributes={"site": "x", "age": 40 + n})),
    "boxes": many(lambda n: Sample(f"{n}.png", (picture(n),), Objects(
        np.array([[1, 2, 3.1, 4], [0, 0, 2, 2]], np.float32)[: n % 3], np.array([1, 0])[: n % 3], ("a", "b"))), 4),
    "numbers": many(lambda n: Sample(f"{n}", (picture(n),), Value(("x", "y"), np.array([n / 3, 1e-9])))),
    "captions": many(lambda n: Sample(f"{n}", (picture(n),), Text(f'a "cat",\n{n}'))),
    "small pictures": many(lambda n: replace(
        labelled(n), images=(picture(n, shape=(32, 32, 3)),), split=("train", "test")[n // 3])),
    "gray pictures": many(lambda n: replace(labelled(n), images=(picture(n, shape=(28, 28, 1)),), split="train")),
    "instances": many(lambda n: Sample(f"{n}", (picture(n),), numbered(("thing",), [0] * (n % 4)))),
    "named instances": many(lambda n: Sample(f"{n}", (picture(n),), numbered(("a", "b"), [1, 0, 1][: n % 4]))),
    "before and after": many(lambda n: Sample(f"{n}", (picture(n),), Picture(picture(n + 50).pixels))),
    "changes": many(lambda n: Sample(
        f"{n}", (picture(n), picture(n + 9)), Regions(np.eye(5, 7, n, np.uint8), ("same", "new")))),
    "points": many(lambda n: Sample(f"m/{n}.png", (picture(n),), pointed(n))),
    "tracked points": Dataset(
        [Sample(f"m/{n}.png", (picture(n),), replace(pointed(n), tracks=np.array([n % 2]))) for n in range(4)],
        details={"individuals": ["one", "two"], "keypoints": {"individual": ["nose", "tail", "ear"]}}),
    "hierarchy of small pictures": Dataset(
        [Sample(f"{n}", (picture(n, shape=(32, 32, 3)),), Labels((name,)), split="train")
         for n, name in enumerate(TREE)],
        details={"parents": TREE}),
    "hierarchy": Dataset([replace(labelled(n), id=f"{n}", truth=Labels((name,))) for n, name in enumerate(TREE)],
                         details={"parents": TREE}),
}  # fmt: skip


def same_truth(first: Annotation | None, second: Annotation | None) -> None:
    assert (first is None) == (second is None)
    if first is None or second is None:
        return
    a, b = to_columns(first), to_columns(second)
    if isinstance(first, Objects) and len(first) == 0:  # columns without rows say nothing
        a, b = ({name: columns[name] for name in ("kind", "boxes", "classes", "names")} for columns in (a, b))
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].dtype.kind == b[name].dtype.kind or "U" not in (a[name].dtype.kind, b[name].dtype.kind)
        assert a[name].dtype == b[name].dtype, name
        np.testing.assert_array_equal(a[name], b[name])


def content(sample: Sample) -> tuple[Any, ...]:
    pixels = tuple(image.read().tobytes() for image in sample.images)
    return pixels, sample.group, sample.split, dict(sample.given), dict(sample.attributes)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("what", DATA)
def test_a_layout_holds_everything_or_refuses(name: str, what: str, tmp_path: Path) -> None:
    part, data, path = catalog.find("formats", name), DATA[what], tmp_path / "written"
    try:
        assert part.write(data, path) == path
    except InputError as error:
        assert "\n" not in error.message  # noqa: PT017 - an answer is fine too
        assert not path.exists(), "a refused write leaves nothing"
        assert list(tmp_path.iterdir()) == []
        return
    assert part.sniff(path).strength == 2
    back = open_data(path)
    assert len(back) == len(data)
    assert back.kind is data.kind
    assert set(back.names) >= {name for sample in data for name in getattr(sample.truth, "names", ())}
    mine, theirs = sorted(data, key=lambda one: str(content(one))), sorted(back, key=lambda one: str(content(one)))
    for one, other in zip(mine, theirs, strict=True):
        assert content(one) == content(other)
        same_truth(one.truth, other.truth)
        for image, copy in zip(one.images, other.images, strict=True):
            assert image.read().dtype == copy.read().dtype
            assert image.read().shape == copy.read().shape
    if len(data.details):
        assert back.details == data.details
    again = part.read(part.write(back, tmp_path / "again"))
    assert [one.id for one in again] == [one.id for one in back], "the second time names do not change"
    assert again.fingerprint == back.fingerprint


LABELS = [name for name in FORMATS if name in ("coco", "cvat", "labelme", "labelstudio", "voc", "yolo")]


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("what", DATA)
def test_what_is_refused_is_what_is_lost(name: str, what: str, tmp_path: Path) -> None:
    """A strict writer refuses just where a lenient one lists a loss; what is left is read again."""
    part, data, lost = catalog.find("formats", name), DATA[what], Lost(name, strict=False)
    try:
        part.write(data, tmp_path / "strict")
        refused = False
    except InputError:
        refused = True
    if not any(sample.images for sample in data):
        with pytest.raises(InputError, match="nothing of"):
            part.write(data, tmp_path / "lenient", lost=lost)
        return
    back = part.read(part.write(data, tmp_path / "lenient", lost=lost))
    assert refused == bool(lost.counts), lost.lines
    assert len(list(back)) == len(data)


@pytest.mark.parametrize("name", FORMATS)
def test_a_layout_holds_something(name: str, tmp_path: Path) -> None:
    def held(what: str) -> bool:
        try:
            catalog.find("formats", name).write(DATA[what], tmp_path / what)
        except InputError:
            return False
        return True

    assert sum(held(what) for what in DATA) >= 2


def test_one_layout_holds_everything(tmp_path: Path) -> None:
    for what, data in DATA.items():
        back = catalog.find("formats", "jsonlines").read(
            catalog.find("formats", "jsonlines").write(data, tmp_path / what)
        )
        assert [one.id for one in back] == [one.id for one in data]


def fitting(name: str, folder: Path) -> Dataset:
    """The first of the data that this layout can hold."""
    for number, data in enumerate(DATA.values()):
        try:
            catalog.find("formats", name).write(data, folder / f"fitting-{number}")
        except InputError:
            continue
        shutil.rmtree(folder / f"fitting-{number}")
        return data
    raise AssertionError(name)


@pytest.mark.parametrize("name", FORMATS)
def test_encoded_pictures_are_copied_as_they_are(name: str, tmp_path: Path) -> None:
    """A JPEG that is decoded and encoded again is another picture."""
    from PIL import Image as Pillow

    for n in range(2):
        Pillow.fromarray(picture(n, shape=(32, 32, 3)).pixels).save(tmp_path / f"{n}.JPEG", quality=50)
    whole = fitting(name, tmp_path)[:2]
    files = [FileImage(tmp_path / f"{n}.JPEG") for n in range(2)]
    data = Dataset(
        [replace(one, images=(file, *one.images[1:])) for one, file in zip(whole, files, strict=True)],
        names=whole.names, kind=whole.kind, details=whole.details,
    )  # fmt: skip
    back = open_data(catalog.find("formats", name).write(data, tmp_path / "written"))
    if getattr(catalog.find("formats", name), "PIXELS", False):  # a layout of arrays, which has no files
        assert sorted(one.pixels().tobytes() for one in back) == sorted(file.read().tobytes() for file in files)
        return
    assert sorted(one.image.encoded() for one in back) == sorted(one.image.encoded() for one in data)
    if "file" in (kind := type(back[0].image).__name__.lower()):
        assert all(one.image.name.endswith(".jpeg") for one in back), kind


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_there_is_not_overwritten(name: str, tmp_path: Path) -> None:
    held = fitting(name, tmp_path)
    (tmp_path / "kept").touch()
    with pytest.raises(StorageError, match="not empty"):
        catalog.find("formats", name).write(held, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    (tmp_path / "empty").mkdir()
    data = fitting(name, tmp_path / "empty")
    assert len(open_data(catalog.find("formats", name).write(data, tmp_path / "empty"))) == len(data)


@pytest.mark.parametrize("name", FORMATS)
def test_a_picture_that_is_gone_leaves_nothing_half_written(name: str, tmp_path: Path) -> None:
    whole = fitting(name, tmp_path)
    data = Dataset([*whole, replace(whole[0], id="x", images=(FileImage(tmp_path / "gone.png"), *whole[0].images[1:]))])
    data.details = whole.details
    with pytest.raises(InputError, match=r"gone.png"):
        catalog.find("formats", name).write(data, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "junk", [b"", b"\xff\xfe\x00", b"[]", b"{", b'{"id": 3}\n', b'{"images": {}}', b"a,b\n1,2", b"<xml/>"]
)
def test_junk_is_one_line(name: str, junk: bytes, tmp_path: Path) -> None:
    part = catalog.find("formats", name)
    for file in ("a.txt", "labels.json", "samples.jsonl", "data.csv", "train/x.xml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(junk)
    for path in (tmp_path, tmp_path / "samples.jsonl", tmp_path / "a.txt", tmp_path / "missing", tmp_path / "train"):
        fit = part.sniff(path)
        assert isinstance(fit, Fit)
        assert fit.strength in (0, 1, 2)
        assert fit.why
        assert "\n" not in fit.why
        try:
            list(part.read(path))
        except SightlineError as error:
            assert str(tmp_path) in error.message, "an error names the file"  # noqa: PT017 - an answer is fine too


@pytest.mark.parametrize("name", FORMATS)
def test_unreadable_pictures_stay_in_the_list(name: str, tmp_path: Path) -> None:
    whole = fitting(name, tmp_path)
    broken = BytesImage(b"no picture", "broken.png")
    data = Dataset([*whole, replace(whole[0], id="broken.png", images=(broken, *whole[0].images[1:]))])
    data.details = whole.details
    if getattr(catalog.find("formats", name), "PIXELS", False):
        with pytest.raises(InputError, match=r"broken.png"):
            catalog.find("formats", name).write(data, tmp_path / "new")
        return
    assert len(open_data(catalog.find("formats", name).write(data, tmp_path / "new"))) == len(whole) + 1


@pytest.mark.parametrize("name", FORMATS)
def test_a_layout_shows_an_example_of_itself(name: str) -> None:
    assert catalog.find("formats", name).LAYOUT


def looked_at(data: Dataset) -> None:
    """Everything a user could ask of samples."""
    for sample in data:
        if sample.truth is not None:
            to_columns(sample.truth)
        for image in sample.images:
            image.fingerprint()
            image.read()


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_one_line(name: str, tmp_path: Path) -> None:
    """Bytes that are cut, flipped or repeated anywhere: an answer, or one typed error."""
    part = catalog.find("formats", name)
    made = part.write(fitting(name, tmp_path), tmp_path / "made")
    files = sorted(file for file in made.rglob("*") if file.is_file())
    files.sort(key=lambda file: (file.suffix in (".png", ".jpg", ".npy"), file.name))
    for seed in range(40):
        rng = np.random.default_rng(seed)
        file = files[min(int(rng.exponential(2)), len(files) - 1)]
        whole = file.read_bytes()
        if not whole:
            continue
        place, other = (int(place) for place in rng.integers(0, len(whole), 2))
        changed = bytearray(whole)
        changed[place] = int(rng.integers(0, 256))
        damaged = (whole[:place], bytes(changed), whole[:place] + whole[other:] + whole[:64], b"")[seed % 4]
        file.write_bytes(damaged)
        try:
            assert part.sniff(made).why
            looked_at(part.read(made))
        except SightlineError as error:
            assert error.message  # noqa: PT017 - an answer is fine too
        finally:
            file.write_bytes(whole)
