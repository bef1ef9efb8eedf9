"""Settings: unknown, ill-typed and contradictory ones are one line that names them."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sightline.core.errors import SettingsError
from sightline.core.settings import differences, fill, from_toml, from_words, to_toml, to_word


@dataclass(frozen=True)
class Settings:
    epochs: int = 10
    rate: float = 0.1
    size: tuple[int, int] | None = None
    name: str = "small"


def test_settings_are_filled() -> None:
    assert fill(Settings, {}) == Settings()
    assert fill(Settings, {"epochs": 3, "size": [4, 5]}) == Settings(3, size=(4, 5))
    assert fill(Settings, {"rate": 1}).rate == 1.0


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"epoch": 3}, r"no setting is called 'train.epoch'. Did you mean 'epochs'\? Known: epochs, name, rate, size"),
        ({"epochs": "many"}, r"train.epochs = 'many': .*integer"),
        ({"epochs": 1.5}, "train.epochs = 1.5"),
        ({"size": [1]}, "train.size"),
        ({3: 4}, "train.3"),
    ],
)
def test_wrong_settings_are_named(given: dict[Any, Any], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        fill(Settings, given, where="train")


def test_settings_without_a_place() -> None:
    @dataclass(frozen=True)
    class Empty:
        pass

    with pytest.raises(SettingsError, match=r"'x'. Known: none"):
        fill(Empty, {"x": 1})


def test_words() -> None:
    words = ["train.epochs=20", "train.rate=1e-3", "name=a b", "flag=true", "sizes=[1, 2]", "empty="]
    assert from_words(words) == {
        "train": {"epochs": 20, "rate": 0.001},
        "name": "a b",
        "flag": True,
        "sizes": [1, 2],
        "empty": "",
    }


@pytest.mark.parametrize(("word", "why"), [("epochs", "write name=value"), ("=3", "write name=value")])
def test_words_that_set_nothing(word: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        from_words([word])


def test_a_value_has_no_parts() -> None:
    with pytest.raises(SettingsError, match="'a' already has a value"):
        from_words(["a=1", "a.b=2"])


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("[train]\nepochs = 3\n")
    assert from_toml(path) == {"train": {"epochs": 3}}
    path.write_text("epochs = = 3")
    with pytest.raises(SettingsError, match="is not TOML"):
        from_toml(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not TOML"):
        from_toml(path)
    with pytest.raises(SettingsError, match="No such file"):
        from_toml(tmp_path / "missing.toml")


def test_differences_are_said_by_name() -> None:
    assert differences({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == ["b: 2 -> 3", "c: None -> 4"]
    assert differences({"a": 1}, {"a": 1}) == []


VALUES: list[Any] = [
    1,
    2.5,
    1e-9,
    True,
    False,
    "auto",
    "true",
    "balanced:site",
    "8GB",
    'it\'s "so"',
    "1",
    [],
    ["flip", {"name": "rotate", "degrees": 20.5}],
    {"a b": [1]},
]


@pytest.mark.parametrize("value", VALUES)
def test_a_file_reads_back_as_the_settings_it_was_made_of(value: Any, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    told = {"train": {"thing": value, "none": None}, "task": {"inner": {"x": value, "y": None}}}
    path.write_text(to_toml(told, "made by", "a test"), encoding="utf-8")
    assert path.read_text(encoding="utf-8").startswith("# made by\n# a test\n\n[train]\n")
    assert from_toml(path) == {"train": {"thing": value}, "task": {"inner": {"x": value}}}
    path.write_text(to_toml({}), encoding="utf-8")
    assert from_toml(path) == {}


@pytest.mark.parametrize("value", VALUES)
def test_a_word_reads_back_as_the_setting_it_was_made_of(value: Any) -> None:
    word = shlex.split(to_word("train.thing", value))
    assert len(word) == 1
    assert from_words(word) == {"train": {"thing": value}}
