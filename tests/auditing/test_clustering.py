"""Groups without labels: the kinds that were mixed are found again, by any seed, and nothing bad gets in."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import sightline
from sightline.auditing import clustering
from sightline.auditing.accord import accord, information, purity, rand
from sightline.auditing.clustering import cluster
from sightline.auditing.groups import write_groups
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, RunError, SettingsError, StorageError, UnknownNameError
from sightline.core.image import ArrayImage, BytesImage, encode
from sightline.core.known import remember
from sightline.core.progress import Event
from sightline.core.sample import Sample
from tests.auditing.test_page import BAD, Tags

KINDS = ("stripes", "spots", "slope")


def drawn(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A small picture of one of three kinds that an eye tells at once."""
    rows, columns = np.mgrid[:32, :32]
    if kind == "stripes":
        light = 128 + 90 * np.sign(np.sin(rows / 2 + rng.uniform(0, 1)))
        colour = np.array([1.0, 0.4, 0.3])
    elif kind == "spots":
        light = np.full((32, 32), 40.0)
        for y, x in rng.integers(3, 29, (6, 2)):
            light[np.hypot(rows - y, columns - x) < 3] = 230
        colour = np.array([0.4, 1.0, 0.4])
    else:
        light = 20 + (rows + columns) * 3.3
        colour = np.array([0.4, 0.5, 1.0])
    shown = light[..., None] * colour + rng.normal(0, 5, (32, 32, 3))
    return np.asarray(np.clip(shown, 0, 255), np.uint8)


def heap(each: int = 12, labelled: bool = True) -> Dataset:
    rng = np.random.default_rng(0)
    samples = [
        Sample(f"{kind} {n}", (ArrayImage(drawn(kind, rng)),), Labels((kind,)) if labelled else None)
        for n in range(each)
        for kind in KINDS
    ]
    return Dataset(samples, name="heap")


@pytest.mark.parametrize("on", ["auto", "lbp+gabor", "colour_histogram:bins=8", "gabor"])
@pytest.mark.parametrize("reduce", ["pca:8", "random:64", "none"])
def test_the_kinds_that_were_mixed_are_found_again(on: str, reduce: str) -> None:
    found = cluster(heap(), on=on, reduce=reduce)
    assert found.sizes == (12, 12, 12)
    assert found.accord is not None
    assert (found.accord.rand.value, found.accord.purity.value) == (1, 1)
    assert {len(set(names)) for names in found.accord.inside} == {1}
    assert found.score.silhouette == max(score.silhouette for score in found.scores)
    assert len({identity.split()[0] for identity, group in zip(found.ids, found.groups, strict=True) if not group}) == 1


def test_labels_and_order_change_nothing_and_the_same_seed_says_the_same() -> None:
    data = heap()
    first = cluster(data, seed=3)
    again, bare = cluster(data, seed=3), cluster(heap(labelled=False), seed=3)
    assert np.array_equal(first.groups, again.groups)
    assert np.array_equal(first.distances, again.distances)
    assert np.array_equal(first.groups, bare.groups)
    assert bare.accord is None
    assert "labels" not in bare.line
    turned = cluster(data.take(range(len(data))[::-1]), seed=3)
    told = dict(zip(turned.ids, turned.groups, strict=True))
    pairs = {(int(group), int(told[identity])) for identity, group in zip(first.ids, first.groups, strict=True)}
    assert len(pairs) == 3


def test_more_pictures_than_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "SOME", 15)
    told: list[Event] = []
    found = cluster(heap(), tell=told.append)
    assert found.sizes == (12, 12, 12)
    assert found.accord is not None
    assert found.accord.rand.value == 1
    done = [event.facts["done"] for event in told if event.kind == "progress"]
    assert done == sorted(done)
    assert done[-1] == 36


def test_the_middle_of_a_group_and_what_is_odd_in_it() -> None:
    data = heap()
    odd = np.array(data[0].pixels())
    odd[8:24, 8:24] = (250, 250, 40)  # a patch that no other has
    samples = [Sample("stripes odd", (ArrayImage(odd),)), *(data[n] for n in range(1, len(data)))]
    found = cluster(Dataset(samples, name="heap"), count=3)
    row = found.ids.index("stripes odd")
    group = int(found.groups[row])
    assert found.odd(group, 1) == [row]
    assert row not in found.central(group, 8)
    assert found.margins[row] < np.median(found.margins[found.groups == group])
    assert found.distances.mean() == pytest.approx(1)
    assert ((found.margins > 0) & (found.margins <= 1)).all()


def test_what_cannot_be_read_is_left_out_and_said() -> None:
    samples = list(heap())
    samples.insert(5, Sample("cut", (BytesImage(encode(drawn("spots", np.random.default_rng(1)))[:90], "cut.png"),)))
    samples.append(Sample("none at all"))
    found = cluster(Dataset(samples, name="heap"))
    assert [identity for identity, _ in found.skipped] == ["cut", "none at all"]
    assert found.sizes == (12, 12, 12)
    assert found.places.tolist() == [*range(5), *range(6, 37)]
    assert "2 pictures could not be used" in found.notes[0]
    with pytest.raises(InputError, match="cut"):
        cluster(Dataset([samples[5]], name="one"))


def test_pictures_of_any_depth_and_channels_stand_side_by_side() -> None:
    samples = list(heap(4))
    gray = samples[0].pixels()[..., :1]
    samples += [
        Sample("gray", (ArrayImage(gray),)),
        Sample("deep", (ArrayImage(samples[1].pixels() * np.uint16(257)),)),
    ]
    samples += [Sample("volume", (ArrayImage(np.repeat(gray[None], 5, 0)),))]
    found = cluster(Dataset(samples, name="mixed"), count=3)
    assert len(found.ids) == 15
    assert found.skipped == ()


def test_copies_are_said_and_too_little_is_one_line() -> None:
    data = heap(3)
    copies = Dataset([*data, *data], name="twice")
    found = cluster(copies)
    assert found.count == 3
    assert "9 of the pictures are copies" in found.notes[0]
    same = Dataset([data[0]] * 6, name="same")
    for given, settings, error, text in (
        (data.take([0, 1]), {}, InputError, "2 pictures; groups need at least 3"),
        (data.take([]), {}, InputError, "0 pictures; groups need at least 3"),
        (same, {}, InputError, "all 6 pictures of same look the same to hog"),
        (data, {"count": 10}, SettingsError, "holds 9 different pictures"),
        (copies, {"count": 12}, SettingsError, "holds 9 different pictures"),
        (data, {"count": 1}, SettingsError, "one group is all pictures"),
        (data, {"count": -2}, SettingsError, "count = -2"),
        (data, {"most": 1}, SettingsError, "most = 1"),
        (data, {"reduce": "pca"}, SettingsError, "must be a whole number"),
        (data, {"on": "hug"}, UnknownNameError, "Did you mean 'hog'"),
        (data, {"on": "runs/none"}, RunError, "no run and no bundle"),
        (data, {"on": "timm:resnet18"}, SettingsError, "train on it first"),
    ):
        with pytest.raises(error, match=text):
            cluster(given, **settings)  # type: ignore[arg-type]
    assert cluster(data, count=9).sizes == (1,) * 9
    assert cluster(data.take([0, 1, 2])).count == 2


def test_the_number_that_scored_best_may_be_the_last_that_was_tried() -> None:
    found = cluster(heap(), most=2)
    assert found.count == 2
    assert "larger --most" in found.notes[0]


def test_accord_is_that_of_the_reference() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for names, groups in ((3, 5), (10, 10), (2, 30), (1, 1)):
        rows = np.stack([rng.integers(0, names, 80), rng.integers(0, groups, 80)], 1)
        assert rand(rows) == pytest.approx(metrics.adjusted_rand_score(rows[:, 0], rows[:, 1]))
        assert information(rows) == pytest.approx(metrics.normalized_mutual_info_score(rows[:, 0], rows[:, 1]))
        table = metrics.cluster.contingency_matrix(rows[:, 0], rows[:, 1])
        assert purity(rows) == pytest.approx(table.max(0).sum() / 80)
    half = np.array([0] * 40 + [1] * 40)
    wrong = np.where(rng.random(80) < 0.15, 1 - half, half)
    found = accord([*("ab"[one] for one in half), None], np.append(wrong, 0), 2)
    assert found is not None
    assert found.count == 80
    assert found.purity.low < found.purity.value < found.purity.high <= 1
    assert found.inside[0][0][0] == "a"
    assert accord(["a"] * 50, np.zeros(50, int), 1) is None
    assert accord(["a", "b", None], np.zeros(3, int), 1) is None


def test_page_table_and_folders(tmp_path: Path) -> None:
    samples = list(heap())
    samples[0] = Sample(f"stripes {BAD}", samples[0].images, samples[0].truth)
    samples.append(Sample("cut", (BytesImage(b"nothing", "cut.png"),)))
    data = remember(Dataset(samples, name="heap"))
    made = sightline.cluster(data)
    written = write_groups(made, data, tmp_path / "groups", folders=True, command="sightline cluster 'a b'")
    text = written.page.read_text()
    tags = Tags(text)
    assert tags.open == []
    assert BAD not in text
    assert not any(tag == "script" for tag, _ in tags.tags)
    assert sum(tag == "img" for tag, _ in tags.tags) == 3 * 12
    for word in ("group-1", "adjusted Rand index", "3 (taken)", "The odd ones out", "Left out", "sightline cluster"):
        assert word in text
    with written.table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["picture"] for row in rows] == list(made.ids)
    assert {row["group"] for row in rows} == {"group-1", "group-2", "group-3"}
    assert written.folders is not None
    again = sightline.open_data(written.folders)
    assert again.counts() == {"group-1": 12, "group-2": 12, "group-3": 12}
    shown = {(written.folders / row["group"] / f"{row['picture']}.png").exists() for row in rows[1:]}
    assert shown == {True}
    with pytest.raises(StorageError, match="not empty"):
        write_groups(made, data, tmp_path / "groups", folders=True)
    assert write_groups(made, data, tmp_path / "groups").folders is None
    assert json.loads(json.dumps(made.to_json()))["sizes"] == [12, 12, 12]
