"""Parts are found by where they lie, ours and those of other packages, and listing them imports nothing."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sightline.core import catalog
from sightline.core.data import open_data
from sightline.core.errors import UnknownNameError

PLUGIN = Path(__file__).parent.parent / "fixtures" / "plugin"


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(PLUGIN))
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "shouting"]:
        del sys.modules[name]


def test_every_file_of_a_module_family_is_an_entry() -> None:
    assert {"folders", "jsonlines", "pictures"} <= set(catalog.names("formats"))
    assert not [name for name in catalog.names("formats") if name.startswith("_")]
    assert catalog.find("formats", "folders").__name__ == "sightline.formats.folders"
    assert "drawn" in catalog.names("sources"), "a folder with a door is an entry too"


def test_every_public_function_of_a_function_family_is_an_entry() -> None:
    assert {"flip", "crop", "zoom", "light", "noise"} <= set(catalog.names("augmentations"))
    assert callable(catalog.find("augmentations", "flip"))
    assert "with_pixels" not in catalog.names("augmentations")


def test_entries_are_described_by_their_own_first_line() -> None:
    told = catalog.describe("augmentations")
    assert told["flip"] == "Left to right."
    assert list(told) == sorted(told)
    assert catalog.describe("formats")["folders"].startswith("One folder a class")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no format is called 'folder'. Did you mean 'folders'") as caught:
        catalog.find("formats", "folder")
    assert "jsonlines" in caught.value.message
    with pytest.raises(UnknownNameError, match="Known: none"):
        catalog.find("dreams", "x")
    assert catalog.names("dreams") == []


def test_a_name_with_a_colon_asks_the_entry_for_a_variant() -> None:
    found = catalog.find("models", "kaconvnet:b")
    assert catalog.find("models", "kaconvnet").VARIANTS["b"] == found.PARAMETERS
    with pytest.raises(UnknownNameError, match=r"'small' has no variants: write model 'small' without a colon"):
        catalog.find("models", "small:b")
    with pytest.raises(UnknownNameError, match=r"no model is called 'kaconvnets'. Did you mean 'kaconvnet'"):
        catalog.find("models", "kaconvnets:b")
    with pytest.raises(UnknownNameError, match=r"has no size 'xl'.* Known: kaconvnet:s, kaconvnet:b"):
        catalog.find("models", "kaconvnet:xl")


def test_other_packages_bring_parts_through_the_same_door(plugin: None, tmp_path: Path) -> None:
    for family, name in (("formats", "shout"), ("models", "still"), ("tasks", "whisper"), ("augmentations", "dim")):
        assert name in catalog.names(family)
        assert "(from plugin)" in catalog.describe(family)[name]
    assert catalog.find("tasks", "whisper").TASK.model == "still"
    assert catalog.find("models", "still").build(3).scale.shape == (3,)
    assert catalog.find("augmentations", "dim").__name__ == "dim"
    (tmp_path / "names.shout").write_text("good bad")
    data = open_data(tmp_path / "names.shout")
    assert (len(data), data.names) == (2, ("bad", "good"))


def test_without_the_package_its_parts_are_gone() -> None:
    assert "shout" not in catalog.names("formats")


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import json, sys; from sightline.core import catalog\n"
        "found = {family: catalog.names(family) for family in (*catalog.MODULES, *catalog.FUNCTIONS)}\n"
        "told = [catalog.describe(family) for family in found]\n"
        "print(json.dumps([sum(map(len, found.values())), sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True)
    count, modules = json.loads(done.stdout)
    assert count > 20
    assert {"torch", "numpy", "PIL", "cv2"} & set(modules) == set()
    assert not [
        name for name in modules if name.startswith(("sightline.models", "sightline.losses", "sightline.formats"))
    ]
