"""A data card: counted again each time, and what people wrote is never lost."""

from pathlib import Path

import numpy as np

from sightline.auditing.audit import audit
from sightline.auditing.card import PEOPLE, card_text, write_card
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.image import BytesImage, encode
from sightline.core.known import remember
from sightline.core.sample import Sample


def data(count: int = 12) -> Dataset:
    rng = np.random.default_rng(0)
    return remember(
        Dataset(
            [
                Sample(
                    f"s{n}",
                    (BytesImage(encode(rng.integers(0, 255, (20, 30, 3), np.uint8))),),
                    Labels((("good", "b|<d")[n % 2],)),
                    group=f"g{n // 2}",
                    split=("train", "test")[n % 3 == 0],
                    attributes={"camera": "ab"[n % 2], "day": str(n)},
                )
                for n in range(count)
            ],
            name="bottles",
            kind=Labels,
        )
    )


def test_what_can_be_counted_is_there() -> None:
    samples = data()
    made = audit(samples)
    text = card_text(made, samples)
    assert text.startswith("# bottles\n")
    for line in (
        "| samples | 12 |",
        "| groups (never parted) | 6 |",
        f"| version: fingerprint of pictures and labels | `{samples.fingerprint}` |",
        "| good | 6 |",
        r"| b\|&lt;d | 6 |",
        "| test | 4 |",
        "| camera | a (6), b (6) |",
        "| columns | 30 | 30 | 30 |",
        "| bits | 8 | 8 | 8 |",
    ):
        assert line in text.splitlines(), line
    assert "0 (1), 1 (1), 2 (1), 3 (1), 4 (1), 5 (1) and 6 more" in text
    assert "## Known faults, by the whole audit" in text
    assert all(f"- {finding.severity}: " in text for finding in made.findings)


def test_what_people_wrote_stays_when_it_is_counted_again(tmp_path: Path) -> None:
    path, few, many = tmp_path / "card.md", data(8), data(12)
    write_card(path, audit(few, quick=True), few)
    first = path.read_text()
    assert "**Licence, and what it allows**: unstated" in first
    path.write_text(first.replace("allows**: unstated", "allows**: CC BY 4.0"))
    write_card(path, audit(many, quick=True), many)
    second = path.read_text()
    assert "CC BY 4.0" in second
    assert "| samples | 12 |" in second
    assert "| samples | 8 |" not in second
    assert second.count(PEOPLE) == 1


def test_a_file_that_is_no_card_is_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("my own notes\n")
    some = data()
    write_card(path, audit(some, quick=True), some)
    assert path.read_text().endswith("my own notes\n")


def test_more_names_than_a_table_holds_are_counted() -> None:
    samples = [Sample(str(n), (), Labels((f"name {n:03}",))) for n in range(40)]
    some = Dataset(samples, name="many", kind=Labels)
    assert "| and 10 more | |" in card_text(audit(some, quick=True), some)
