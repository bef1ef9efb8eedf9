"""Chains: looked up, checked at once, applied step by step; what is found is handed on while it still holds."""

from pathlib import Path

import numpy as np
import pytest

from sightline.applying.chain import Chain, is_chain
from sightline.applying.rules import COLOURS, When, numbers
from sightline.core.annotations import Labels, Objects, Regions, Value
from sightline.core.errors import InputError, SettingsError, UnknownNameError
from sightline.core.image import write_image
from tests.applying.conftest import picture

pytestmark = pytest.mark.usefixtures("another")


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("brightn", UnknownNameError, "Did you mean 'brighten'?"),
        ("brighten bye=1", SettingsError, "Did you mean 'by'?"),
        ("brighten by=much", SettingsError, "whole number"),
        ("brighten | areas", SettingsError, "no step before it finds them. Such a step is "),
        ("finders.otsu | each", SettingsError, "each (gaussian | otsu)"),
        ("finders.otsu | areas | each (gausian)", UnknownNameError, "Did you mean 'gaussian'?"),
        ("finders.otsu | rule name=a when='hue'", SettingsError, "no comparison"),
        ("no/model", UnknownNameError, "no bundle or run"),
    ],
)
def test_a_chain_is_checked_before_anything_is_done(text: str, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind) as caught:
        Chain.parse(text)
    assert says in str(caught.value)


def test_a_name_of_several_families_means_the_first_that_can_be() -> None:
    """A filter before a finder unless it is asked for; what works on findings where there are some."""
    for text, families in (
        ("both", ["filter"]),
        ("finders.both", ["finder"]),
        ("filters.both | finders.both", ["filter", "finder"]),
        ("keep", ["finder"]),
        ("both | keep", ["filter", "finder"]),
        ("spots | keep", ["finder", "verb"]),
        ("spots | finders.keep", ["finder", "finder"]),
    ):
        assert [step.family for step in Chain.parse(text).steps] == families, text
    with pytest.raises(UnknownNameError):
        Chain.parse("finders.brighten")


def test_text_lists_and_toml_are_the_same_chain(tmp_path: Path) -> None:
    chain = Chain.parse("brighten by=3 | cut size=(2,5) | spots")
    (tmp_path / "c.toml").write_text(
        'steps = ["brighten by=3", {use = "cut", size = [2, 5]}, {use = "spots"}]', encoding="utf-8"
    )
    assert Chain.load(tmp_path / "c.toml").seal == chain.seal
    assert Chain.parse([("brighten", {"by": 3}), ("cut", {"size": (2, 5)}), "spots"]).seal == chain.seal
    assert Chain.parse(str(chain)).seal == chain.seal
    assert Chain.parse(chain) is chain
    others = ["brighten by=4 | cut size=(2,5) | spots", "brighten by=3 | cut size=(2,5)", "cut size=(2,5) | spots"]
    assert len({Chain.parse(other).seal for other in [*others, str(chain)]}) == 4
    assert (
        Chain.parse("finders.otsu | areas | each (brighten)").seal
        != Chain.parse("finders.otsu | areas | each (brighten by=2)").seal
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_pictures_go_on_and_findings_are_kept(dtype: str) -> None:
    given = picture(1, dtype=dtype)
    given.setflags(write=False)
    outcome = Chain.parse("brighten by=1 | finders.otsu | brighten by=2")(given)
    assert outcome.pixels.dtype == given.dtype
    assert np.array_equal(outcome.pixels, given + given.dtype.type(3))
    assert [found.step for found in outcome.found] == [2]
    assert isinstance(outcome.answer, Regions)
    assert len(outcome.seconds) == 3
    assert not outcome.moved
    stages = Chain.parse("brighten by=1 | finders.otsu").stages(given)
    assert [stage.text for stage in stages] == ["as it came", "brighten by=1", "finders.otsu"]
    assert np.array_equal(stages[0].pixels, given)
    assert np.array_equal(stages[1].pixels, stages[2].pixels)
    assert stages[2].record is not None


def test_finders_see_the_current_picture() -> None:
    given = np.full((8, 8, 3), 90, np.uint8)
    assert len(Chain.parse("spots least=100")(given).answer) == 0  # type: ignore[arg-type]
    assert len(Chain.parse("brighten by=20 | spots least=100")(given).answer) == 1  # type: ignore[arg-type]


def test_what_was_found_is_handed_to_steps_that_take_it() -> None:
    given = picture(0)
    assert Chain.parse("said")(given).answer.names == ("nothing",)  # type: ignore[attr-defined]
    assert Chain.parse("spots | said")(given).answer.names == ("1",)  # type: ignore[attr-defined]
    assert Chain.parse("spots | turned | said")(given).answer.names == ("nothing",)  # type: ignore[attr-defined]
    assert Chain.parse("spots | cut size=9,9 | said")(given).answer.names == ("nothing",)  # type: ignore[attr-defined]


def test_places_in_a_picture_that_was_moved_are_refused() -> None:
    for text in ("spots | turned | crop_to", "spots | cut size=9,9 | each (said)", "finders.otsu | turned | areas"):
        with pytest.raises(InputError, match="before the picture was moved"):
            Chain.parse(text)(picture(0))
    assert Chain.parse("spots | brighten | crop_to")(picture(0)).pixels.shape == (4, 6, 3)


def test_components_are_counted_and_kept() -> None:
    given = np.zeros((20, 30), np.uint8)
    given[2:5, 3:9] = 255
    given[10:18, 20:30] = 255
    given[15, 2] = 255
    found = Chain.parse("finders.otsu | areas name=thing")(given).answer
    assert isinstance(found, Objects)
    assert sorted(found.boxes.tolist()) == [[2, 15, 3, 16], [3, 2, 9, 5], [20, 10, 30, 18]]
    assert found.names == ("thing",)
    for settings, count in (("least=2", 2), ("least=2 border=false", 1), ("most=18", 2), ("of=dark", 1)):
        assert len(Chain.parse(f"finders.otsu | areas {settings}")(given).answer) == count, settings  # type: ignore[arg-type]
    answer = Chain.parse("finders.otsu | areas | keep least=10 | count name=things")(given).answer
    assert isinstance(answer, Value)
    assert (answer.names, answer.numbers.tolist()) == (("things",), [2])
    with pytest.raises(SettingsError, match="Did you mean 'light'"):
        Chain.parse("finders.otsu | areas of=ligt")(given)


def test_every_thing_is_cropped_and_answered_about() -> None:
    given = np.zeros((20, 30, 3), np.uint8)
    given[2:5, 3:9] = (255, 140, 140)
    given[10:18, 20:30] = (0, 255, 255)
    chain = Chain.parse("finders.otsu | areas | each (rule name=red when='mean_hue<30' otherwise=other)")
    found = chain(given).answer
    assert isinstance(found, Objects)
    pairs = zip(found.boxes.tolist(), found.details or (), strict=True)
    told = {tuple(box): details["answer"]["names"] for box, details in pairs}
    assert told == {(3, 2, 9, 5): ["red"], (20, 10, 30, 18): ["other"]}
    assert all(details["area"] for details in found.details or ())
    failing = Chain.parse("finders.otsu | areas | each (spots least=300 | crop_to)")(given).answer
    assert isinstance(failing, Objects)
    assert [details["error"]["code"] for details in failing.details or ()] == ["empty"] * 2


def test_a_name_for_windows_becomes_things_in_the_picture() -> None:
    given = np.zeros((48, 64, 3), np.uint8)
    given[4:20, 8:24] = (255, 0, 0)
    given[26:42, 40:56] = (255, 0, 0)
    given[26:42, 8:24] = (0, 0, 255)
    inner = "each (rule name=red when='mean_red>0.9' | rule name=blue when='mean_blue>0.9')"
    found = Chain.parse(f"windows size=16 step=0.125 growth=1.5 | {inner} | told overlap=0.1")(given).answer
    assert isinstance(found, Objects)
    assert found.names == ("blue", "red")
    placed = {(found.names[number], *box) for number, box in zip(found.classes, found.boxes.tolist(), strict=True)}
    assert placed == {("red", 8, 4, 24, 20), ("red", 40, 26, 56, 42), ("blue", 8, 26, 24, 42)}
    one = Chain.parse(f"windows size=16 step=0.125 | {inner} | told name=blue | count")(given).answer
    assert isinstance(one, Value)
    assert one.numbers.tolist() == [1]
    none = Chain.parse(f"windows size=16 step=0.125 | {inner} | told name=green")(given).answer
    assert len(none) == 0  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"told: nothing was said .* put each"):
        Chain.parse("windows size=16 | told")(given)


def test_the_first_rule_that_holds_names_the_picture() -> None:
    given = np.full((8, 8, 3), (200, 30, 30), np.uint8)
    for text, names in (
        ("rule name=red when='mean_hue<30 and mean_red>0.5'", ("red",)),
        ("rule name=red when='mean_hue>30'", ()),
        ("rule name=red when='mean_hue>30' otherwise=other", ("other",)),
        ("rule name=red when='mean_hue>30 or mean_blue<0.2'", ("red",)),
        ("rule name=a when='mean_hue<30' | rule name=b", ("a",)),
        ("rule name=a when='mean_hue>30' | rule name=b", ("b",)),
        ("spots | rule name=one when='count==1'", ("one",)),
    ):
        answer = Chain.parse(text)(given).answer
        assert isinstance(answer, Labels)
        assert answer.names == names, text
    with pytest.raises(SettingsError, match="Did you mean 'mean_hue'"):
        Chain.parse("rule name=a when='mean_heu<3'")(given)
    with pytest.raises(SettingsError, match="needs something that finds them"):
        Chain.parse("rule name=a when='count<3'")(given)


def test_numbers_of_rules_are_what_they_say() -> None:
    pixels = np.zeros((4, 4, 3), np.uint16)
    pixels[:2] = (65535, 0, 0)
    regions = Regions((np.arange(16).reshape(4, 4) < 8).astype(np.uint8), ("rest", "top"))
    objects = Objects(np.array([[0, 0, 4, 2], [0, 0, 1, 1]], np.float32), np.array([0, 1]), ("a", "b"))
    value = Value(("ripeness",), np.array([0.25]))
    names = {*COLOURS, "count", "count_a", "largest", "share_top", "ripeness", "brightness", "rows"}
    found = numbers(names, pixels, objects, regions, value)
    assert found["mean_red"] == pytest.approx(0.5)
    assert found["mean_hue"] % 360 == pytest.approx(0, abs=1e-3)
    assert (found["count"], found["count_a"], found["largest"], found["share_top"]) == (2, 1, 0.5, 0.5)
    assert (found["ripeness"], found["rows"]) == (0.25, 4)
    assert numbers({"mean_red"}, pixels, None, regions, None, "top")["mean_red"] == pytest.approx(1)
    gray = numbers({"mean_hue"}, np.full((3, 3, 1), 7, np.uint8), None, None, None)
    assert np.isnan(gray["mean_hue"])
    assert not When.parse("mean_hue<400").holds(gray)


def test_a_gate_lets_good_pictures_through_and_mends_others(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    good = np.repeat(np.repeat(rng.integers(0, 256, (20, 20, 3)), 5, 0), 5, 1).astype(np.uint8)
    assert np.array_equal(Chain.parse("gate")(good).pixels, good)
    dark = (good // 16).astype(np.uint8)
    (tmp_path / "limits.toml").write_text("most_shadows = 1.0\nleast_entropy = 0.0\nmost_blockiness = 99.0\n")
    mended = Chain.parse(f"gate limits={tmp_path / 'limits.toml'}")(dark)
    assert mended.pixels.mean() > 3 * dark.mean()
    with pytest.raises(InputError, match=r"gate: reject: .*brightness"):
        Chain.parse("gate")(np.zeros_like(good))


def test_a_mask_comes_from_a_file(tmp_path: Path) -> None:
    mask = np.zeros((12, 16), np.uint8)
    mask[:3] = 255
    path = write_image(tmp_path / "a mask.png", mask)
    made = Chain.parse(f"masked mask='{path}' fill=7")(picture(0)).pixels
    assert (made[3:] == 7).all()
    assert np.array_equal(made[:3], picture(0)[:3])


def test_a_word_is_a_chain_only_where_it_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_chain("finders.otsu | count")
    assert is_chain("finders.otsu")
    assert is_chain("gaussian sigma=2")
    assert is_chain("otsu")
    assert not is_chain("photos/")
    assert not is_chain("drawn:parts")
    assert not is_chain(tmp_path)
    (tmp_path / "otsu").mkdir()
    assert not is_chain("otsu")


def test_what_has_learnt_to_enhance_is_a_step(another: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the stage that learns, which offers names and functions."""
    import sys
    from types import ModuleType

    def lighter(image: np.ndarray, *, strength: float = 1.0) -> np.ndarray:
        """Lighter."""
        return image + image.dtype.type(10 * strength)

    stage = ModuleType("sightline.enhancing.steps")
    stage.NAMES, stage.find = ("lighter", "brighten"), {"lighter": lighter, "brighten": lighter}.get  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sightline.enhancing", ModuleType("sightline.enhancing"))
    monkeypatch.setitem(sys.modules, "sightline.enhancing.steps", stage)
    chain = Chain.parse("lighter strength=0.5 | brighten by=2")
    assert [step.family for step in chain.steps] == ["enhancer", "filter"]
    assert np.array_equal(chain(picture(0)).pixels, picture(0) + np.uint8(7))
    assert chain.edits
    with pytest.raises(UnknownNameError, match="Did you mean 'lighter'"):
        Chain.parse("ligter")
