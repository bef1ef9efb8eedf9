"""Models by name, wherever a path is taken; what has no such name says which there are."""

from pathlib import Path

import pytest

import sightline
from sightline.core.annotations import Labels, Picture
from sightline.core.dataset import Dataset
from sightline.core.errors import RegistryError, UnknownNameError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.predicting.model import load
from sightline.predicting.named import SHIPPED, card, is_name, shelf, whereabouts
from sightline.registering.registry import open_registry
from tests.server.conftest import coloured, make_bundle


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two versions of one model, in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIGHTLINE_REGISTRY", raising=False)
    with open_registry(tmp_path / "registry") as opened:
        opened.register("colours", make_bundle(tmp_path / "one", "first"))
        opened.register("colours", make_bundle(tmp_path / "two", "second"), alias="night", note="for the night")
    return tmp_path / "registry"


def test_a_version_is_named_by_alias_number_or_as_champion(registry: Path) -> None:
    first, second = load("colours@1"), load("colours@night")
    assert (first.card["note"], second.card["note"]) == ("first", "second")
    assert load("colours@").version == load("colours@champion").version == first.version
    assert load("colours@latest").version == load("colours@2").version == second.version
    [answer] = second.predict([Sample("a", (ArrayImage(coloured("blue"), "a"),))])
    assert isinstance(answer, Labels)
    assert answer.best == "blue"


def test_what_is_shipped_is_named_too() -> None:
    model = load("shipped@denoise_gray")
    assert model.task_name == "restore"
    [answer] = model.predict([Sample("a", (ArrayImage(coloured("red", 64)[..., :1].copy(), "a"),))])
    assert isinstance(answer, Picture)
    assert whereabouts("shipped@denoise_gray") == SHIPPED / "denoise_gray.sightline"
    assert "Licence of the weights: Apache-2.0" in card("shipped@denoise_gray")


def test_all_of_them_are_listed(registry: Path) -> None:
    found = {one.name: one for one in shelf()}
    assert {"colours@champion", "colours@night", "shipped@denoise_colour", "shipped@enlarge4_gray"} <= set(found)
    assert len(found) == 2 + len(list(SHIPPED.glob("*.sightline")))
    assert found["colours@night"].note == "for the night"
    assert found["shipped@denoise_colour"].licence == "Apache-2.0"
    figure = found["shipped@denoise_colour"].figure
    assert figure is not None
    assert figure["name"] == "PolyU (dB)"


def test_without_a_registry_there_is_what_is_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert {one.name.partition("@")[0] for one in shelf()} == {"shipped"}
    assert not (tmp_path / "registry").exists(), "a look makes nothing"
    with pytest.raises(RegistryError, match="no registry"):
        shelf(str(tmp_path / "elsewhere"))
    with pytest.raises(RegistryError, match="no registry"):
        load("colours@champion")


def test_a_name_that_is_none_says_which_there_are(registry: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'denoise_gray'"):
        load("shipped@denoise_grey")
    with pytest.raises(RegistryError, match="Did you mean 'colours'"):
        load("colour@champion")
    with pytest.raises(RegistryError, match="colours"):
        load("colours@day")


def test_a_path_goes_before_a_name(registry: Path, tmp_path: Path) -> None:
    (tmp_path / "one").rename(tmp_path / "colours@night")
    assert not is_name("colours@night")
    assert load("colours@night").card["note"] == "first"
    assert not is_name("somewhere/else")


def test_other_commands_take_names_as_well(registry: Path) -> None:
    with open_registry(registry) as opened:
        version = opened.register("copy", "colours@night")
        assert version.seal == opened.version("colours", "night").seal
    data = Dataset([_labelled(name) for name in ("red", "green", "blue")], name="colours")
    found = sightline.evaluate("colours@champion", data, quick=True)
    assert found.figures[0]["value"] == 1.0


def _labelled(name: str) -> Sample:
    return Sample(name, (ArrayImage(coloured(name), name),), Labels((name,)))
