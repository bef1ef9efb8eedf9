"""Masks beside pictures: where they lie, what their values mean, and what is no mask."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from sightline.core.annotations import Objects, Regions
from sightline.core.data import open_data, recognise
from sightline.core.errors import AmbiguousError, InputError
from sightline.formats import instances, masks

PICTURE = np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)


def mask(*values: int, dtype: type = np.uint8) -> np.ndarray:
    """Upright stripes of these values."""
    return np.repeat(np.array(values, dtype)[None], 6, 0).repeat(8 // len(values), 1)


def laid(folder: Path, **files: np.ndarray) -> Path:
    """Pictures and masks by their place; `__` stands for a slash."""
    for name, pixels in files.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        file = folder / f"{stem}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(pixels).save(file)
    return folder


LAYOUTS = {
    "side by side": {"images__1_jpg": PICTURE, "masks__1_png": mask(0, 1)},
    "called otherwise": {"PNGImages__1_png": PICTURE, "SegmentationClass__1_png": mask(0, 1)},
    "with an ending": {"images__1_jpg": PICTURE, "masks__1_mask_png": mask(0, 1)},
    "annot": {"train__1_png": PICTURE, "trainannot__1_png": mask(0, 1)},
    "in splits": {"train__images__1_png": PICTURE, "train__masks__1_png": mask(0, 1)},
    "splits below": {"images__train__1_png": PICTURE, "masks__train__1_png": mask(0, 1)},
    "one folder": {"1_jpg": PICTURE, "1_mask_png": mask(0, 1)},
    "other suffix": {"1_jpg": PICTURE, "1_png": mask(0, 1)},
    "both without loss": {"1_bmp": PICTURE, "1_png": mask(0, 1)},
    "deep": {"MT_A__Imgs__1_jpg": PICTURE, "MT_A__Imgs__1_png": mask(0, 1), "MT_B__Imgs__2_jpg": PICTURE},
}


@pytest.mark.parametrize("what", LAYOUTS)
def test_where_masks_lie(what: str, tmp_path: Path) -> None:
    assert recognise(laid(tmp_path, **LAYOUTS[what])) == "masks"
    data = open_data(tmp_path)
    assert data.kind is Regions
    truth = data[0].truth
    assert isinstance(truth, Regions)
    assert truth.names == ("background", "foreground")
    assert truth.classes.tolist() == mask(0, 1).tolist()
    assert data[0].split == ("train" if "train" in str(LAYOUTS[what]) else None)
    assert data[0].pixels().shape == (6, 8, 3)
    if what == "deep":
        assert [one.truth is None for one in data] == [False, True], "a picture may lack its mask"
        assert [one.attributes for one in data] == [{"folder": "MT_A"}, {"folder": "MT_B"}]


@pytest.mark.parametrize(
    ("values", "names", "classes"),
    [
        ((0, 255), ("background", "foreground"), (0, 1)),
        ((0, 128, 255, 0), ("0", "128", "255"), (0, 1, 2, 0)),
        ((0, 1, 2, 3), ("0", "1", "2", "3"), (0, 1, 2, 3)),
        ((3, 7), ("3", "7"), (0, 1)),
    ],
)
def test_values_without_a_legend(
    values: tuple[int, ...], names: tuple[str, ...], classes: tuple[int, ...], tmp_path: Path
) -> None:
    data = open_data(laid(tmp_path, images__1_png=PICTURE, masks__1_png=mask(*values)))
    truth = data[0].truth
    assert isinstance(truth, Regions)
    assert truth.names == names
    assert truth.classes.tolist() == mask(*classes).tolist()


def test_soft_masks_are_cut_in_the_middle(tmp_path: Path) -> None:
    soft = np.concatenate([np.zeros((60, 200), np.uint8), np.full((60, 200), 255, np.uint8)], 1)
    soft[0, :256] = np.arange(256)
    data = open_data(laid(tmp_path, images__1_png=PICTURE, masks__1_png=soft))
    truth = data[0].truth
    assert isinstance(truth, Regions)
    assert truth.classes.tolist() == (soft >= 128).tolist()


def test_names_colours_palettes_and_depth(tmp_path: Path) -> None:
    laid(tmp_path / "names", images__1_png=PICTURE, masks__1_png=mask(0, 2))
    (tmp_path / "names" / "classes.txt").write_text("sky\nroad\ncar\n")
    assert open_data(tmp_path / "names").names == ("sky", "road", "car")
    red = np.zeros((6, 8, 3), np.uint8)
    red[:, 4:] = (255, 0, 0)
    legends = {
        "label_colors.txt": "255 0 0\tcar\n0 0 0\t\tsky\n",
        "class_dict.csv": "name,r,g,b\ncar,255,0,0\nsky,0,0,0\n",
    }
    for name, text in legends.items():
        laid(tmp_path / name, images__1_png=PICTURE, masks__1_png=red)
        assert open_data(tmp_path / name).names == ("#000000", "#ff0000")
        (tmp_path / name / name).write_text(text)
        data = open_data(tmp_path / name, format="masks")
        assert data.names == ("car", "sky")
        assert data[0].truth.classes[0].tolist() == [1] * 4 + [0] * 4  # type: ignore[union-attr]
    palette = Pillow.fromarray(mask(0, 5)).convert("P")
    palette.putpalette([channel for n in range(256) for channel in (n, 255 - n, 7)])
    laid(tmp_path / "palette", images__1_png=PICTURE, masks__1_png=mask(0, 1))
    palette.save(tmp_path / "palette" / "masks" / "1.png")
    assert open_data(tmp_path / "palette").names == ("0", "5")
    laid(tmp_path / "deep", images__1_png=PICTURE, masks__1_png=mask(0, 1000, dtype=np.uint16))
    assert open_data(tmp_path / "deep").names == ("0", "1000")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("255 0 car\n", r"label_colors.txt line 1: wanted is red green blue name"),
        ("300 0 0 car\n", r"line 1: wanted is red"),
        ("1 1 1 a\n2 2 2 a\n", r"a name or a colour for the second time"),
        ("9 9 9 a\n", r"1.png: the value #"),
    ],
)
def test_a_legend_that_is_wrong(text: str, message: str, tmp_path: Path) -> None:
    laid(tmp_path, images__1_png=PICTURE, masks__1_png=mask(0, 1))
    (tmp_path / "label_colors.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        masks.read(tmp_path)[0].truth.classes  # type: ignore[union-attr]  # noqa: B018


def test_a_value_beyond_the_names_is_refused_with_the_file(tmp_path: Path) -> None:
    laid(tmp_path, images__1_png=PICTURE, masks__1_png=mask(0, 2))
    (tmp_path / "classes.txt").write_text("sky\nroad\n")
    truth = open_data(tmp_path)[0].truth
    with pytest.raises(InputError, match=r"1\.png: the value 2 is none of the 2 classes"):
        truth.classes  # type: ignore[union-attr]  # noqa: B018


def test_what_is_no_mask(tmp_path: Path) -> None:
    laid(tmp_path / "a", images__1_png=PICTURE, masks__2_png=mask(0, 1))
    assert "without a picture" in masks.sniff(tmp_path / "a").why
    with pytest.raises(InputError, match=r"2\.png: a mask without a picture"):
        masks.read(tmp_path / "a")
    noise = np.random.default_rng(0).integers(0, 255, (80, 90, 3), np.uint8)
    laid(tmp_path / "b", images__1_png=PICTURE, gt__1_png=noise)
    assert masks.sniff(tmp_path / "b").strength == 1
    laid(tmp_path / "c", images__1_png=PICTURE, masks__1_png=mask(0, 1), masks__1_mask_png=mask(0, 1))
    with pytest.raises(InputError, match="has another mask"):
        masks.read(tmp_path / "c")


def objects(count: int) -> np.ndarray:
    """So many patches, numbered from 1."""
    pixels = np.zeros((6, 8), np.uint8)
    for number in range(count):
        pixels[1:3, 2 * number : 2 * number + 1] = number + 1
    return pixels


def test_numbered_objects_are_recognised_by_folder_note_or_refused(tmp_path: Path) -> None:
    files = {f"images__{n}_png": PICTURE for n in range(1, 4)}
    plain = laid(tmp_path / "plain", **files, **{f"masks__{n}_png": objects(n) for n in range(1, 4)})
    with pytest.raises(AmbiguousError, match=r"instances: .*; masks: "):
        recognise(plain)
    named = laid(tmp_path / "named", **files, **{f"instances__{n}_png": objects(n) for n in range(1, 4)})
    assert recognise(named) == "instances"
    data = open_data(named)
    truth = data[2].truth
    assert isinstance(truth, Objects)
    assert truth.boxes.tolist() == [[0, 1, 1, 3], [2, 1, 3, 3], [4, 1, 5, 3]]
    assert truth.masks is not None
    assert truth.masks.sum((1, 2)).tolist() == [2, 2, 2]
    assert data.names == ("object",)


def test_notes_of_the_first_pascal_annotation_name_objects(tmp_path: Path) -> None:
    laid(tmp_path, PNGImages__a_png=PICTURE, PedMasks__a_mask_png=objects(2))
    (tmp_path / "Annotation").mkdir()
    lines = ["# Compatible with PASCAL Annotation Version 1.00", *(f'Original label for object {n} "{w}" : "x"'
             for n, w in ((1, "walks"), (2, "stands")))]  # fmt: skip
    (tmp_path / "Annotation" / "a.txt").write_text("\n".join(lines))
    assert recognise(tmp_path) == "instances"
    truth = instances.read(tmp_path)[0].truth
    assert isinstance(truth, Objects)
    assert [truth.names[row] for row in truth.classes] == ["walks", "stands"]


def test_classes_times_a_thousand(tmp_path: Path) -> None:
    numbers = objects(2).astype(np.uint16)
    numbers[numbers == 1] = 2001
    laid(tmp_path, images__1_png=PICTURE, instances__1_png=numbers)
    (tmp_path / "classes.txt").write_text("a\nb\nc\n")
    truth = open_data(tmp_path)[0].truth
    assert isinstance(truth, Objects)
    assert [truth.names[row] for row in truth.classes] == ["c", "a"]
    numbers[numbers == 2001] = 3001
    Pillow.fromarray(numbers).save(tmp_path / "instances" / "1.png")
    with pytest.raises(InputError, match=r"1\.png: 3001 has no class"):
        open_data(tmp_path)[0].truth.boxes  # type: ignore[union-attr]  # noqa: B018
