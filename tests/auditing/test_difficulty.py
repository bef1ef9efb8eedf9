"""How hard labels are to tell, gathered: shares, both ends, and a line in words."""

import numpy as np

from sightline.auditing.audit import audit
from sightline.auditing.difficulty import spread
from sightline.auditing.page import write_page
from sightline.auditing.suspects import Suspects
from sightline.core.annotations import Labels
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.sample import Sample

DATA = Dataset([Sample(f"s{n}", (), Labels(("a",))) for n in range(10)], kind=Labels)


def judged(*difficulty: float, gain: float = 0.9) -> Suspects:
    return Suspects((), len(difficulty), 0.95, gain, np.array(difficulty, np.float32))


def test_shares_ends_and_words() -> None:
    found = spread(DATA, judged(0.01, 0.02, 0.05, 0.3, 0.4, 0.45, 0.6, 0.9, np.nan, 0.99))
    assert found is not None
    assert found.easy[0] == "s0"
    assert found.hard[0] == "s5", "what is probably a wrong label is not a hard case"
    assert np.allclose(found.shares, (3 / 9, 3 / 9, 3 / 9))
    assert sum(found.counts) == 9, "what was not judged is not counted"
    assert found.line.endswith("a mix of easy and hard")
    easy, hard = spread(DATA, judged(*[0.01] * 10)), spread(DATA, judged(*[0.8] * 10))
    assert easy is not None
    assert hard is not None
    assert "border between names" in easy.line
    assert "guideline" in hard.line


def test_a_judge_who_knows_nothing_says_nothing() -> None:
    assert spread(DATA, judged(*[0.5] * 10, gain=0.1)) is None


def test_an_audit_tells_and_draws_it(tmp_path) -> None:  # type: ignore[no-untyped-def]
    data = open_data("drawn:shapes?count=120&size=32")
    made = audit(data)
    assert made.difficulty is not None
    assert made.to_json()["difficulty"]["counts"] == list(made.difficulty.counts)
    page = write_page(tmp_path / "a.html", made, data).read_text()
    assert "How hard the labels are to tell" in page
    assert all(one in page for one in made.difficulty.hard)
    assert audit(data, quick=True).difficulty is None
