"""Names that only held-out pictures carry."""

from sightline.checks.sides import unlearnt
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.sample import Sample


def told(*rows: tuple[str | None, str]) -> list[str]:
    data = [Sample(str(n), truth=Labels((name,)), split=side) for n, (side, name) in enumerate(rows)]
    return [finding.text for finding in unlearnt(Dataset(data))]


def test_what_is_asked_must_be_learnt() -> None:
    known = (("train", "a"), ("train", "b"), ("test", "a"))
    assert told(*known) == []
    assert "c 2" in told(*known, ("test", "c"), ("val", "c"))[0]
    assert told(*known, ("test", "c"), (None, "c")) == [], "what is on no side yet may be learnt from"


def test_new_names_on_purpose() -> None:
    assert told(("train", "usual"), ("test", "usual"), ("test", "flawed")) == [], "what is usual is learnt alone"
    assert told(("test", "a"), ("test", "b")) == [], "nothing is learnt here"
