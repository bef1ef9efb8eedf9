"""Tables: what a header means, where pictures are looked for, and the line that is wrong."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core.annotations import Labels, Objects, Text, Value
from sightline.core.data import open_data, recognise
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, InputError
from sightline.core.image import ArrayImage, BytesImage, encode
from sightline.core.sample import Sample
from sightline.formats import csv
from tests.formats.test_folders import grown

PICTURE = encode(np.zeros((20, 30, 3), np.uint8))


def table(folder: Path, text: str, *, name: str = "labels.csv", encoding: str = "utf-8") -> Path:
    """A table, and a picture for every name in it that ends like one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode(encoding))
    return grown(folder, "a.png", "b.png", "c.png")


@pytest.mark.parametrize(
    ("text", "truths"),
    [
        ("file,label\na.png,cat\nb.png,dog\n", [("cat",), ("dog",)]),
        ("a.png,cat\nb.png,dog\n", [("cat",), ("dog",)]),
        ("label;file\ncat;a.png\n", [("cat",)]),
        ("Image\tClass\na.png\t1\n", [("1",)]),
        ("image_id,species\na,cat\nb,dog\n", [("cat",), ("dog",)]),
        ("file,labels\na.png,x|y\nb.png,\nc.png,y\n", [("x", "y"), (), ("y",)]),
        ("file,tags\na.png,x;y\nb.png,z\n", [("x", "y"), ("z",)]),
        ("file,sun,rain,snow\na.png,1,0,1\nb.png,0,0,0\n", [("sun", "snow"), ()]),
        ('file,label\na.png,"a, ""b""\nc"\n', [('a, "b"\nc',)]),
        ("whatever,label\na.png,cat\n", [("cat",)]),
        ("file,label\na.png,\nb.png,dog\n", [None, ("dog",)]),
    ],
)
def test_names(text: str, truths: list[Any], tmp_path: Path) -> None:
    assert recognise(table(tmp_path, text)) == "csv"
    data = open_data(tmp_path)
    assert [None if one.truth is None else one.truth.names for one in data] == truths  # type: ignore[attr-defined]
    assert data.kind is Labels
    assert all(one.pixels().shape == (2, 2, 1) for one in data)


def test_numbers_and_texts(tmp_path: Path) -> None:
    data = open_data(table(tmp_path / "n", "file,value:height,value:mass,low:mass\na.png,1.5,2,1\nb.png,,,\n"))
    first = data[0].truth
    assert isinstance(first, Value)
    assert (first.names, first.numbers.tolist()) == (("height", "mass"), [1.5, 2.0])
    assert first.low is not None
    np.testing.assert_array_equal(first.low, [np.nan, 1])
    assert data[1].truth is None
    assert isinstance(open_data(table(tmp_path / "t", "file,target\na.png,0.25\nb.png,3\n"))[0].truth, Value)
    text = open_data(table(tmp_path / "c", "image,caption,author\na.png,a cat,me\n"))[0]
    assert isinstance(text.truth, Text)
    assert (text.truth.text, text.attributes) == ("a cat", {"author": "me"})


@pytest.mark.parametrize(
    "text",
    [
        "file,x0,y0,x1,y1,label\na.png,1,2,3,4.5,cat\nb.png,,,,,\na.png,0,0,1,1,dog\n",
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,2,2,cat,1,2,3,4.5\nb.png,2,2,,,,,\na.png,2,2,dog,0,0,1,1\n",
        "a.png,1,2,3,4.5,cat\nb.png,,,,,\na.png,0,0,1,1,dog\n",
        "image,x,y,w,h,label\na.png,1,2,2,2.5,cat\nb.png,,,,,\na.png,0,0,1,1,dog\n",
    ],
)
def test_boxes(text: str, tmp_path: Path) -> None:
    data = open_data(table(tmp_path, text))
    assert len(data) == 2
    first, second = data[0].truth, data[1].truth
    assert isinstance(first, Objects)
    assert isinstance(second, Objects)
    assert first.boxes.tolist() == [[1, 2, 3, 4.5], [0, 0, 1, 1]]
    assert [first.names[row] for row in first.classes] == ["cat", "dog"]
    assert len(second) == 0


def test_what_else_a_row_says(tmp_path: Path) -> None:
    header = "file,label,patient_id,split,site,age,attributes"
    text = f'{header}\na.png,x,p1,train,north,40,"{{""k"": [1]}}"\nb.png,y,p2,valid,,7.5,\n'
    first, second = open_data(table(tmp_path, text))
    assert (first.group, first.split, first.attributes) == ("p1", "train", {"site": "north", "age": 40, "k": [1]})
    assert (second.group, second.split, second.attributes) == ("p2", "val", {"age": 7.5})


def test_splits_in_files_of_their_own_and_pictures_in_folders(tmp_path: Path) -> None:
    grown(tmp_path, "train/a.jpg", "test/b.jpg")
    (tmp_path / "train.csv").write_text("id,label\na,x\n")
    (tmp_path / "test.csv").write_text("id,label\nb,y\n")
    data = open_data(tmp_path)
    assert {(one.id, one.split) for one in data} == {("test/b", "test"), ("train/a", "train")}
    assert data[0].pixels().shape == (2, 2, 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_encoding_are_understood(encoding: str, tmp_path: Path) -> None:
    assert open_data(table(tmp_path, "file,label\na.png,größe\n", encoding=encoding))[0].truth.best == "größe"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na.png,x\nb.png\n", r"labels.csv line 3: 1 cells; the header has 2"),
        ("file,label\na.png,x\na.png,y\n", r"line 3: 'a.png' was in line 2"),
        ("file,id,label\na.png,1,x\nb.png,1,x\n", r"line 3: the id '1' was used in .* line 2"),
        ("file,label\n../a.png,x\na.png,y\n", r"line 2: '../a.png' leads outside"),
        ("file,label\n/etc/passwd,x\na.png,y\n", r"line 2: '/etc/passwd' leads outside"),
        ("file,label,Label\na.png,x,y\n", r"line 1: two columns are called 'Label'"),
        ('file,label\na.png,"x\n', r"after line"),
        ("file,x0,y0,x1,y1,label\na.png,1,2,3,4,\n", r"line 2: a box without a name"),
        ("file,x0,y0,x1,y1,label\na.png,1,,3,4,cat\n", r"line 2: a box with an empty corner"),
        ('file,label,attributes\na.png,x,"{"\n', r"line 2: 'attributes' is not JSON"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str, tmp_path: Path) -> None:
    table(tmp_path, text)
    with pytest.raises(InputError, match=message) as raised:
        list(csv.read(tmp_path))
    assert raised.value.code == "label"


def test_other_encodings_are_refused_with_the_line(tmp_path: Path) -> None:
    table(tmp_path, "file,label\na.png,größe\n", encoding="latin-1")
    with pytest.raises(InputError, match="not utf-8-sig text"):
        csv.read(tmp_path)


def test_two_readings_are_refused_with_both_named(tmp_path: Path) -> None:
    grown(tmp_path, "cats/1.png", "dogs/2.png")
    (tmp_path / "labels.csv").write_text("file,label\ncats/1.png,x\ndogs/2.png,y\n")
    with pytest.raises(AmbiguousError, match=r"csv: .*; folders: ") as raised:
        open_data(tmp_path)
    assert "--format" in raised.value.message
    assert open_data(tmp_path, format="csv").names == ("x", "y")


def test_names_without_pictures_are_no_natural_reading(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,label\nx.png,cat\n")
    assert csv.sniff(tmp_path).strength == 1
    assert "not there" in csv.sniff(tmp_path).why
    (tmp_path / "notes.csv").write_text("day,hours\n1,2\n")
    assert csv.sniff(tmp_path / "notes.csv").strength == 0
    assert csv.sniff(tmp_path).strength == 1


def test_several_tables_ask_which(tmp_path: Path) -> None:
    table(tmp_path, "file,label\na.png,x\n", name="one.csv")
    table(tmp_path, "file,label\na.png,y\n", name="two.csv")
    assert "one.csv, two.csv" in csv.sniff(tmp_path).why
    with pytest.raises(InputError, match=r"one.csv, two.csv"):
        csv.read(tmp_path)
    assert open_data(tmp_path / "two.csv")[0].truth.best == "y"  # type: ignore[union-attr]


def test_the_order_of_names_and_unused_ones_are_kept(tmp_path: Path) -> None:
    image = ArrayImage(np.zeros((2, 2, 1), np.uint8))
    data = Dataset([Sample("1", (image,), Labels(("b",)))], names=("z", "b", "a"), kind=Labels)
    assert open_data(csv.write(data, tmp_path / "out")).names == ("z", "b", "a")
    (tmp_path / "out" / "classes.txt").write_text("z\na\n")
    with pytest.raises(InputError, match="'b' is not in the list of classes"):
        csv.read(tmp_path / "out")


@pytest.mark.parametrize("names", [("1.5", "2.25"), ("x|y", "z"), ("", "z"), ("a;b", "c,d")])
def test_names_that_look_like_something_else(names: tuple[str, str], tmp_path: Path) -> None:
    """They come back as they were, or are refused."""
    image = ArrayImage(np.zeros((2, 2, 1), np.uint8))
    data = Dataset([Sample(f"{n}", (image,), Labels((name,))) for n, name in enumerate(names)])
    try:
        back = open_data(csv.write(data, tmp_path / "out"))
    except InputError:
        return
    assert [one.truth.names for one in back] == [(name,) for name in names]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "attributes",
    [{"n": "007"}, {"n": "7"}, {"n": 7}, {"n": 7.5}, {"n": True}, {"label": "x"}, {"N": "a", "n": "b"}, {"": "e"},
     {"n": ""}, {" n": "x"}, {"n": None}, {"a": 0, "b": 1}, {"low:x": "1"}, {"x0": 1}],
)  # fmt: skip
def test_attributes_keep_their_type(attributes: dict[str, Any], tmp_path: Path) -> None:
    image = ArrayImage(np.zeros((2, 2, 1), np.uint8))
    for truth in (None, Labels(("a",))):
        data = Dataset([Sample("1", (image,), truth, attributes=attributes)])
        (back,) = open_data(csv.write(data, tmp_path / f"{truth is None}"))
        assert back.attributes == attributes
        assert {k: type(v) for k, v in back.attributes.items()} == {k: type(v) for k, v in attributes.items()}


def pictured(folder: Path, text: str) -> Path:
    """A table and every picture that it names."""
    (folder / "labels.csv").write_text(text)
    return grown(folder, *[line.split(",")[0] for line in text.splitlines()[1:]])


def test_whole_numbers_that_may_be_names_or_be_measured_are_not_guessed_at(tmp_path: Path) -> None:
    rows = "".join(f"{row}.png,{20 + row // 2}\n" for row in range(50))  # 25 numbers, each twice
    with pytest.raises(AmbiguousError, match=r"'target' holds 25 whole numbers.*Call the column 'class' .* or 'value'"):
        csv.read(pictured(tmp_path, "file,target\n" + rows))
    (tmp_path / "labels.csv").write_text("file,class\n" + rows)
    assert csv.read(tmp_path).kind is Labels
    (tmp_path / "labels.csv").write_text("file,value\n" + rows)
    assert csv.read(tmp_path).kind is Value
    (tmp_path / "labels.csv").write_text("file,target\n" + "".join(f"{row}.png,{row % 10}\n" for row in range(50)))
    assert csv.read(tmp_path).names == tuple("0123456789")


def test_a_measured_column_alone_beside_the_picture_is_its_number(tmp_path: Path) -> None:
    data = csv.read(pictured(tmp_path, "file,age\n1.png,31.5\n2.png,40\n3.png,\n"))
    assert (data.kind, data.names) == (Value, ("age",))
    assert isinstance(data[0].truth, Value)
    assert data[0].truth.numbers.tolist() == [31.5]
    assert data[2].truth is None
    (tmp_path / "labels.csv").write_text("file,door\n1.png,1\n2.png,0\n3.png,2\n")
    assert csv.read(tmp_path).kind is None, "a few whole numbers under an unknown word say too little"


def test_a_number_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    for header in ("value", "value:age"):
        with pytest.raises(InputError, match=r"labels.csv line 3: .* is 'old', which is no number"):
            csv.read(pictured(tmp_path, f"file,{header}\n1.png,31.5\n2.png,old\n3.png,7\n"))


def test_an_empty_mark_is_one_that_nobody_knows(tmp_path: Path) -> None:
    data = csv.read(pictured(tmp_path, "file,cat,dog\n1.png,1,0\n2.png,,1\n3.png,,\n4.png,0,0\n"))
    assert data.kind is Labels
    truths = [sample.truth for sample in data]
    assert isinstance(truths[0], Labels)
    assert truths[0].names == ("cat",)
    assert isinstance(truths[1], Labels)
    assert truths[1].score("dog") == 1.0
    assert np.isnan(truths[1].score("cat"))
    assert truths[2] is None
    assert isinstance(truths[3], Labels)
    assert truths[3].names == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('file,value\n1.png,\n2.png,"0,5"\n3.png,"1,5"\n', "line 3: value is '0,5': write numbers with a point"),
        ("file;count\n1.png;0,5\n2.png;12,25\n3.png;-1,5\n", "line 2: count is '0,5': write numbers with a point"),
        ("file,value\n1.png,3 kg\n2.png,12.5 kg\n3.png,4kg\n", "line 2: value is '3 kg': write the number alone"),
        ("file,value\n1.png,3%\n2.png,12%\n3.png,?\n", "line 2: value is '3%': write the number alone"),
        ('file,value:age\n1.png,3\n2.png,4\n3.png,"4,5"\n', "line 4: age is '4,5', which is no number. Write a point"),
    ],
)
def test_numbers_in_another_spelling_are_not_taken_for_words(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        csv.read(pictured(tmp_path, text))


def test_numbers_with_a_comma_under_label_ask_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(AmbiguousError, match=r"line 2: label is '0,5', which can be read as names or as numbers"):
        csv.read(pictured(tmp_path, "file;label\n1.png;0,5\n2.png;1,5\n3.png;0,5\n"))
    (tmp_path / "labels.csv").write_text("file;class\n1.png;0,5\n2.png;1,5\n3.png;0,5\n")
    assert csv.read(tmp_path).names == ("0,5", "1,5")
    (tmp_path / "labels.csv").write_text("file,number,rating\n1.png,12a,good\n2.png,13b,poor\n3.png,7,good\n")
    assert csv.read(tmp_path)[0].attributes == {"number": "12a", "rating": "good"}, "doors and words stay what they are"


@pytest.mark.parametrize("join", [", ", "; ", ",", "|"])
def test_names_in_a_cell_with_and_without_a_space_after_the_mark(join: str, tmp_path: Path) -> None:
    rows = [("cat", "dog"), ("dog",), ("big dog", "cat")]
    lines = "".join(f'{n}.png,"{join.join(row)}"\n' for n, row in enumerate(rows, 1))
    data = csv.read(pictured(tmp_path, f"file,tags\n{lines}"))
    assert [getattr(sample.truth, "names", ()) for sample in data] == rows
    (tmp_path / "labels.csv").write_text("file,tags\n1.png,cat;dog;\n2.png,dog;\n3.png,\n")
    assert [getattr(sample.truth, "names", None) for sample in csv.read(tmp_path)] == [("cat", "dog"), ("dog",), ()]


def test_a_label_of_several_known_names_asks_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(
        AmbiguousError, match=r"line 4: label is 'cat;dog', which can be read as one name or as several"
    ):
        csv.read(pictured(tmp_path, "file,label\n1.png,cat\n2.png,dog\n3.png,cat;dog\n"))
    (tmp_path / "labels.csv").write_text("file,class\n1.png,cat\n2.png,dog\n3.png,cat;dog\n")
    assert csv.read(tmp_path).names == ("cat", "cat;dog", "dog")
    (tmp_path / "labels.csv").write_text('file,label\n1.png,"crane, bird"\n2.png,"crane, machine"\n3.png,dog\n')
    assert csv.read(tmp_path).names == ("crane, bird", "crane, machine", "dog"), "a comma within a name is no mark"


@pytest.mark.parametrize(
    "truths",
    [(("0,5",), ("1,5",)), (("cat",), ("dog",), ("cat;dog",)), (("a;b",), ()), (("a, b", "c"), ("b",)), ((" a", "b"),)],
)
def test_names_with_marks_in_them_come_back(truths: tuple[tuple[str, ...], ...], tmp_path: Path) -> None:
    names = tuple(sorted({name for truth in truths for name in truth}))
    samples = [Sample(f"{n}", (BytesImage(PICTURE),), Labels(truth)) for n, truth in enumerate(truths)]
    csv.write(Dataset(samples, names=names), tmp_path / "out")
    assert [getattr(sample.truth, "names", None) for sample in csv.read(tmp_path / "out")] == list(truths)


def test_paths_of_windows_and_whole_paths_lead_to_pictures_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "my photos").mkdir()
    for name in ("my photos/1.png", "a\\b.png"):
        (tmp_path / name).write_bytes(PICTURE)
    rows = ("my photos\\1.png", f"{tmp_path}/my photos/1.png", "a\\b.png")
    for row in rows:
        (tmp_path / "labels.csv").write_text(f"file,label\n{row},cat\n")
        (sample,) = open_data(tmp_path, format="csv")
        assert sample.pixels().shape == (20, 30, 3), row
        assert sample.id == row.removeprefix(f"{tmp_path}/"), "what is named tells nobody where it lies"
    for row in (
        "/etc/passwd",
        f"{tmp_path}/../x.png",
        f"{tmp_path}x/1.png",
        "C:\\x\\1.png",
        "\\\\host\\1.png",
        "..\\1.png",
    ):
        (tmp_path / "labels.csv").write_text(f"file,label\n{row},cat\n")
        with pytest.raises(
            AmbiguousError, match=r"labels\.csv names pictures that are not there, outside its folder, such"
        ):
            open_data(tmp_path)
        with pytest.raises(InputError, match="leads outside the folder"):
            csv.read(tmp_path)[0].pixels()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a.png 0\nb.png 1\n", ["0", "1"]),
        ("a.png\tcat\nb.png\tdog\n", ["cat", "dog"]),
        ("file,label\na.png,cat\nb.png,dog\n", ["cat", "dog"]),
    ],
)
def test_a_list_in_a_text_is_a_table(text: str, names: list[str], tmp_path: Path) -> None:
    """`labels.txt` is a list of names in other layouts; one that names pictures is none."""
    table(tmp_path, text, name="labels.txt")
    assert recognise(tmp_path) == recognise(tmp_path / "labels.txt") == "csv"
    assert [one.truth.best for one in open_data(tmp_path)] == names  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["a.png\nb.png\n", "a.png b.png\n", "one two\n", "", "\n\n"])
def test_other_texts_are_no_tables(text: str, tmp_path: Path) -> None:
    table(tmp_path, text, name="list.txt")
    assert csv.sniff(tmp_path).strength == csv.sniff(tmp_path / "list.txt").strength == 0


def test_a_box_in_one_cell_is_refused(tmp_path: Path) -> None:
    table(tmp_path, 'image_id,bbox\na,"[1, 2, 3, 4]"\n')
    with pytest.raises(InputError, match=r"line 2: bbox is .*stands in four columns"):
        csv.read(tmp_path)


def test_whole_paths_through_a_link_lead_inside_too(tmp_path: Path) -> None:
    """Whoever wrote the table called the folder by its own name, and whoever reads it by that of a link, or back."""
    table(tmp_path / "own", f"file,label\n{tmp_path / 'own'}/a.png,cat\n")
    (tmp_path / "link").symlink_to("own")
    assert [one.id for one in csv.read(tmp_path / "link")] == ["a.png"]
    table(tmp_path / "own", f"file,label\n{tmp_path / 'link'}/a.png,cat\n")
    assert [one.pixels().shape for one in csv.read(tmp_path / "link")] == [(2, 2, 1)]
