"""What can be named, and what one of them says of itself."""

from collections.abc import Callable
from pathlib import Path

from sightline.predicting.named import whereabouts
from sightline.testing.bundles import levels
from tests.cli.conftest import Done


def test_models_are_listed_and_their_cards_shown(here: Callable[..., Done]) -> None:
    made = here("zoo")
    assert made.status == 0, made.err
    assert "shipped@denoise_colour" in made.out
    rows = here("zoo", "--json").document["models"]
    assert {"name", "task", "network", "licence", "size", "figure"} <= set(rows[0])
    assert "# restore with" in here("zoo", "shipped@enlarge2_gray").out
    wrong = here("zoo", "shipped@nothing")
    assert wrong.status == 2
    assert "Shipped: deblock_colour" in wrong.err


def test_a_name_alone_is_its_champion(here: Callable[..., Done], tmp_path: Path) -> None:
    bundle = levels(tmp_path / "levels.sightline", 1, "classify")
    made = here("register", str(bundle), "--name", "levels", "--registry", str(tmp_path / "kept"))
    assert made.status == 0, made.err
    kept = str(tmp_path / "kept")
    assert whereabouts("levels", kept) == whereabouts("levels@champion", kept)
    wrong = here("zoo", "lewels", "--registry", kept)
    assert wrong.status == 2
    assert "no model is called 'lewels' here" in wrong.err
