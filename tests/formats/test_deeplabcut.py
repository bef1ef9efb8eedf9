"""Tables of points: header rows, pictures that are there or not, left and right."""

from pathlib import Path

import pytest

from sightline.core.annotations import Objects
from sightline.core.data import open_data, recognise
from sightline.core.errors import InputError
from sightline.formats import deeplabcut
from tests.formats.test_folders import grown

HEAD = "scorer,P,P,P,P,P,P\nbodyparts,nose,nose,leftear,leftear,rightear,rightear\ncoords,x,y,x,y,x,y\n"
ROWS = "labeled-data/m/1.png,1.5,2,3,4,5,6\nlabeled-data/m/2.png,1,2,,,5,6\nlabeled-data/m/3.png,,,,,,\n"


def project(folder: Path, text: str = HEAD + ROWS) -> Path:
    grown(folder, "labeled-data/m/1.png", "labeled-data/m/2.png")
    (folder / "labeled-data" / "m" / "CollectedData_P.csv").write_text(text)
    return folder


def test_points_and_their_twins(tmp_path: Path) -> None:
    assert recognise(project(tmp_path)) == "deeplabcut"
    data = open_data(tmp_path)
    assert [one.id for one in data] == [f"labeled-data/m/{n}.png" for n in (1, 2, 3)]
    first, second, third = (one.truth for one in data)
    assert isinstance(first, Objects)
    assert isinstance(second, Objects)
    assert isinstance(third, Objects)
    assert first.keypoints is not None
    assert second.keypoints is not None
    assert first.keypoints.tolist() == [[[1.5, 2, 2], [3, 4, 2], [5, 6, 2]]]
    assert first.boxes.tolist() == [[1.5, 2, 5, 6]]
    assert second.keypoints[0, 1].tolist() == [0, 0, 0]
    assert first.mirror == (0, 2, 1)
    assert len(third) == 0
    assert data.details["keypoints"] == {"individual": ["nose", "leftear", "rightear"]}
    assert data[0].pixels().shape == (2, 2, 1)
    assert "1 of the first 3 pictures are not there" in deeplabcut.sniff(tmp_path).why
    with pytest.raises(InputError, match=r"3\.png"):
        data[2].pixels()


def test_a_video_folder_and_a_file_alone(tmp_path: Path) -> None:
    folder = project(tmp_path) / "labeled-data" / "m"
    for place in (folder, folder / "CollectedData_P.csv", tmp_path / "labeled-data"):
        data = open_data(place, format="deeplabcut") if place.name != "labeled-data" else open_data(folder)
        assert data[0].pixels().shape == (2, 2, 1)


def test_several_animals_and_paths_in_three_cells(tmp_path: Path) -> None:
    head = "scorer,,,P,P,P,P\nindividuals,,,a,a,b,b\nbodyparts,,,nose,nose,nose,nose\ncoords,,,x,y,x,y\n"
    data = open_data(project(tmp_path, head + "labeled-data,m,1.png,1,2,3,4\nlabeled-data,m,2.png,,,3,4\n"))
    first, second = (one.truth for one in data)
    assert isinstance(first, Objects)
    assert isinstance(second, Objects)
    assert first.tracks is not None
    assert second.tracks is not None
    assert (first.tracks.tolist(), second.tracks.tolist()) == ([0, 1], [1])
    assert data.details["individuals"] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "labeled-data/m/1.png,1,2\n", r"line 4: 3 cells; the header has 7"),
        (HEAD + "labeled-data/m/1.png,1,2,3,4,5,x\n", r"line 4: could not convert"),
        (HEAD + "../m/1.png,1,2,3,4,5,6\n", r"line 4: .* leads outside"),
        ("scorer,P\n" * 3 + HEAD + ROWS, r"line 1: wanted are rows that begin with scorer"),
        ("scorer,P\n", r"line 1: wanted are rows that begin with scorer"),
        (HEAD.replace("x,y,x,y", "x,y,y,x") + ROWS, r"the row 'coords' must say x, y"),
        (HEAD.replace("leftear,leftear", "nose,nose") + ROWS, r"the same points in the same order"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str, tmp_path: Path) -> None:
    project(tmp_path, text)
    with pytest.raises(InputError, match=message):
        list(deeplabcut.read(tmp_path))
