"""The commands of the audit as a user runs them."""

from pathlib import Path

import numpy as np
import pytest

from sightline.core.data import open_data
from sightline.core.image import encode
from tests.auditing.test_audit import folder, scene
from tests.cli.conftest import Command


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder(tmp_path / "photos")
    (tmp_path / "photos" / "good" / "flat.png").write_bytes(encode(np.full((40, 40, 3), 77, np.uint8)))
    (tmp_path / "photos" / "good" / "copy.png").write_bytes((tmp_path / "photos" / "good" / "0.png").read_bytes())
    return tmp_path / "photos"


def test_audit_says_shows_and_cleans(sightline: Command, photos: Path, tmp_path: Path) -> None:
    done = sightline("audit", "photos", "--fix", "photos/cleaned.jsonl")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("26 pictures, 2 names (good 14, bad 12), nothing unreadable")
    assert lines[1] == " 1. warn: 1 picture with next to nothing in them"
    assert lines[2].strip().startswith("Leave them out")
    assert "page: audits/photos.html" in lines
    assert lines[-1].startswith("cleaned: photos/cleaned.jsonl holds 25 samples; 1 left out")
    assert (tmp_path / "audits" / "photos.html").stat().st_size > 10_000
    assert len(open_data(photos / "cleaned.jsonl")) == 25


def test_audit_looks_first_whether_its_page_has_a_place(sightline: Command, photos: Path) -> None:
    done = sightline("audit", "photos", "--out", "photos")
    assert done.status == 2
    assert done.out == ""
    assert "error[storage]: could not write photos: Is a directory." in done.err


def test_audit_as_json(sightline: Command, photos: Path, tmp_path: Path) -> None:
    done = sightline("audit", "photos", "--quick", "--no-report", "--json")
    assert done.status == 0, done.err
    assert (done.document["depth"], done.document["looked"]) == ("quick", 26)
    assert done.document["findings"][0]["check"] == "low_information"
    assert "page" not in done.document
    assert not (tmp_path / "audits").exists()
    again = sightline("audit", "photos", "--out", "here.html", "--json")
    assert again.document["page"] == "here.html"


def test_gate(sightline: Command, photos: Path, tmp_path: Path) -> None:
    (photos / "good" / "dim.png").write_bytes(encode((scene(5) * 0.12 + 12).astype(np.uint8)))
    done = sightline("gate", "photos", "--out", "mended", "--save", "gate.toml")
    assert done.status == 0, done.err
    assert "good/flat.png: reject: contrast 0, at least 0.06" in done.out
    assert done.out.splitlines()[-1] == "25 accepted, 1 repaired, 1 rejected"
    (mended,) = (tmp_path / "mended").iterdir()
    assert mended.name.endswith("dim.png")
    learnt = sightline("gate", "photos", "--learn", "photos/bad", "--json")
    assert learnt.document["counts"]["reject"] >= 1
    assert len(learnt.document["pictures"]) == 27
    again = sightline("gate", "photos", "--limits", "gate.toml", "--json", "--quiet")
    assert again.document["counts"] == {"accept": 25, "repair": 1, "reject": 1}
    both = sightline("gate", "photos", "--limits", "gate.toml", "--learn", "photos")
    assert (both.status, "Give one of them" in both.err) == (2, True)


def test_agree(sightline: Command, tmp_path: Path) -> None:
    for who, wrong in (("anna", 99), ("bert", 3), ("carl", 5)):
        for n in range(12):
            place = tmp_path / who / ("good", "bad")[(n + (n == wrong)) % 2]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{n}.png").write_bytes(encode(scene(n)))
    done = sightline("agree", "anna", "bert", "carl", "--out", "agreed")
    assert done.status == 0, done.err
    assert done.out.startswith("3 annotators, 12 pictures")
    assert "Fleiss' kappa: 0.77" in done.out
    assert "bad/3.png: anna bad, bert good, carl bad" in done.out
    assert done.out.splitlines()[-1] == "agreed: 12 samples in agreed"
    assert open_data(tmp_path / "agreed").counts() == {"good": 6, "bad": 6}
    document = sightline("agree", "anna", "bert", "--json").document
    assert [one["name"] for one in document["coefficients"]][-1] == "Cohen's kappa"
    alone = sightline("agree", "anna")
    assert (alone.status, "none of them shared" in alone.err) == (2, True)


def test_a_card_is_written_and_what_people_wrote_stays(sightline: Command, photos: Path, tmp_path: Path) -> None:
    done = sightline("card", "photos", "--out", "photos/CARD.md", "--quick", "--json")
    assert done.status == 0, done.err
    card = tmp_path / "photos" / "CARD.md"
    assert done.document["path"] == "photos/CARD.md"
    card.write_text(card.read_text().replace("Whom to ask**: unstated", "Whom to ask**: Anna"))
    assert sightline("card", "photos", "--out", "photos/CARD.md", "--quick").status == 0
    assert "Anna" in card.read_text()
    assert len(open_data(photos)) == 26, "a card among the pictures is no label"
