"""A chain as text: what parts steps and settings, and what is refused in one line."""

import pytest

from sightline.applying.text import Spec, from_list, from_table, from_text, to_text
from sightline.core.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("gaussian", [("gaussian", {})]),
        (" gaussian  sigma=2|finders.otsu ", [("gaussian", {"sigma": "2"}), ("finders.otsu", {})]),
        ("crop size=(64, 64) | x", [("crop", {"size": "(64, 64)"}), ("x", {})]),
        ("rule name=a when=\"hue < 3 | or\" b='x y'", [("rule", {"name": "a", "when": "hue < 3 | or", "b": "x y"})]),
        ("each (a x=1 | b (c)) margin=.5", [("each", {"chain": "a x=1 | b (c)", "margin": ".5"})]),
        ("each (rule when='a < 1 | )')", [("each", {"chain": "rule when='a < 1 | )'"})]),
        ("'my models/one.sightline' least=.5", [("my models/one.sightline", {"least": ".5"})]),
        ("a b='' c=\"it's\"", [("a", {"b": "", "c": "it's"})]),
        ("a b=x=y", [("a", {"b": "x=y"})]),
    ],
)
def test_steps_are_parted_by_bars_and_settings_by_blanks(text: str, steps: list[tuple[str, dict[str, str]]]) -> None:
    assert [(spec.name, dict(spec.settings)) for spec in from_text(text)] == steps
    again = " | ".join(to_text(spec.name, spec.settings) for spec in from_text(text))
    assert [(spec.name, dict(spec.settings)) for spec in from_text(again)] == steps


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty step"),
        ("a | | b", "empty step"),
        ("a |", "empty step"),
        ("a 2", "'2' is not a setting; write name=value"),
        ("a =2", "not a setting"),
        ("a b=1 b=2", "b is given twice"),
        ("a b='c", "does not close its quote"),
        ("each (a", "does not close its bracket"),
        ("each a)", "closes a bracket"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, says: str) -> None:
    with pytest.raises(SettingsError, match="(?s)" + says.replace("(", r"\(").replace(")", r"\)")) as caught:
        from_text(text)
    assert "\n" not in caught.value.message


def test_lists_and_tables_say_the_same_as_text() -> None:
    wanted = from_text("a x=1 | b")
    steps = ["a x=1", {"use": "b"}]
    for made in (from_list(steps), from_table({"steps": steps, "seal": "y"}, "f"), from_list([("a", {"x": "1"}), "b"])):
        assert made == wanted
    assert from_list([{"use": "a", "x": 2.5}]) == [Spec("a", {"x": 2.5})]
    for bad in ([], [{"x": 1}], [3]):
        with pytest.raises(SettingsError):
            from_list(bad)
    with pytest.raises(SettingsError, match="steps"):
        from_table({}, "chain.toml")
