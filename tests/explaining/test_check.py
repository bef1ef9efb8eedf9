"""The checks: they pass what follows the model, and withhold the rest with the reason."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.inputs import Frame, InputSpec, fit
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.explaining import methods
from sightline.explaining.check import Verdict, _ranks, check, pointing, share, staying
from sightline.explaining.curves import curves, faithfulness, moved, ranks
from sightline.explaining.judging import judge, knows_nothing
from sightline.explaining.methods import Method
from sightline.explaining.neighbours import Bank, bank, features
from sightline.explaining.placing import back, inward
from sightline.explaining.subject import View, shuffle
from sightline.tasks.classify import TASK
from tests.explaining.subjects import Patch, Pooled, bright, pictures, subject, view_of

PLACE = (slice(4, 12), slice(18, 26))


@pytest.fixture
def sure() -> View:
    return view_of(Patch(PLACE, 255.0), bright(12, PLACE), size=(32, 32), names=("a", "b"))


def test_what_matters_raises_the_answer_first() -> None:
    view = view_of(Patch(PLACE, 255.0), bright(4, PLACE), size=(32, 32), names=("a", "b"))
    perfect = np.zeros((4, 32, 32))
    perfect[(slice(None), *PLACE)] = 1
    shown, hidden = curves(view, perfect)
    assert (shown > 0.85).all()
    assert (hidden < 0.6).all()
    assert (faithfulness(view, perfect) > faithfulness(view, moved(perfect)) + 0.2).all()
    assert faithfulness(view, perfect.max() - perfect) == pytest.approx(-faithfulness(view, perfect), abs=0.15)


def test_ranks_follow_the_map_and_break_ties_by_smooth_chance() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((3, 10, 10))
    rank = ranks(maps)
    assert np.sort(rank.reshape(3, -1), 1) == pytest.approx(np.broadcast_to(np.arange(100) / 100, (3, 100)))
    assert [row.argmin() for row in rank] == [row.argmax() for row in maps]
    even = ranks(np.zeros((1, 16, 16)))[0]
    assert abs(np.corrcoef(even[:-1].ravel(), even[1:].ravel())[0, 1]) > 0.5, "smooth"
    assert abs(np.corrcoef(even.ravel(), np.arange(256))[0, 1]) < 0.5, "not row by row"


def test_equal_values_share_their_place() -> None:
    values = np.random.default_rng(0).integers(0, 9, (6, 50)).astype(np.float32)
    assert np.array_equal(np.stack([_ranks(row) for row in values]), rankdata(values, axis=1))


def test_how_much_of_a_map_stays() -> None:
    rng = np.random.default_rng(1)
    maps, others = rng.random((2, 10, 32, 32))
    assert staying(maps, maps) == pytest.approx(np.ones(10))
    assert abs(staying(maps, others).mean()) < 0.1
    assert staying(maps, (maps + others) / 2).mean() == pytest.approx(0.7, abs=0.1)
    shared = rng.random((1, 32, 32)) * 5
    assert abs(staying(maps + shared, others + shared).mean()) < 0.1, "what all pictures share is not counted"


def test_pointing_counts_hits_where_the_thing_is_known() -> None:
    maps = [np.eye(4), np.eye(4)[::-1], np.eye(4)]
    maps[0][2, 2] = maps[1][2, 1] = 2
    here = np.zeros((4, 4), bool)
    here[2, 2] = True
    assert pointing(maps, [here, here, None]).tolist() == [1, 0]
    assert share(np.ones(20))["low"] == pytest.approx(0.839, abs=0.001), "Wilson"


def test_shuffling_keeps_every_number_and_no_place() -> None:
    network = Pooled()
    copy = shuffle(network, 1)
    for name, value in network.state_dict().items():
        assert torch.equal(value.flatten().sort().values, copy.state_dict()[name].flatten().sort().values), name
    assert not torch.equal(network.conv.weight, copy.conv.weight)
    assert torch.equal(shuffle(network, 1).conv.weight, copy.conv.weight)


def test_a_faithful_method_passes_and_says_its_numbers(sure: View) -> None:
    verdict = check("occlusion", replace(sure, subject=replace(sure.subject, network=None)))
    assert verdict.shown
    assert verdict.line == "Occlusion passed its checks on 12 pictures"
    assert verdict.figures["above_chance"]["low"] > 0.2
    assert "stays" not in verdict.figures, "nothing to shuffle"
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_a_map_that_ignores_the_weights_is_withheld(sure: View, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brightness alone points at the right place here, and stays when the weights go."""
    light = Method(lambda view: view.arrays["image"].mean(-1), "Light", "how light it is")
    monkeypatch.setitem(methods.METHODS, "light", light)
    verdict = check("light", sure)
    assert not verdict.shown
    assert verdict.figures["above_chance"]["low"] > 0, "it does mark what matters"
    assert verdict.figures["stays"]["value"] == pytest.approx(1)
    assert "with all weights shuffled 100% of the map stays" in verdict.line


def test_a_map_of_something_else_is_withheld(sure: View, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    chance = Method(lambda view: rng.random((len(view), *view.size)), "Chance", "nothing")
    monkeypatch.setitem(methods.METHODS, "chance", chance)
    verdict = check("chance", sure)
    assert verdict.figures["stays"]["high"] < 0.5
    assert [reason.split(" ")[0] for reason in verdict.reasons] == ["what", "what"]


def test_an_answer_that_hardly_hangs_on_the_picture_is_not_explained() -> None:
    """Maps of an untrained network follow it, but what they mark moves its answer by next to nothing."""
    network = Patch(PLACE, 255.0)
    network.scale.data /= 500
    verdict = check("occlusion", view_of(network, bright(12, PLACE), size=(32, 32), names=("a", "b")))
    assert 0 < verdict.figures["above_chance"]["low"] < 0.02
    assert not verdict.shown


def test_too_few_pictures_and_an_empty_map_are_said(sure: View, monkeypatch: pytest.MonkeyPatch) -> None:
    few = view_of(Patch(PLACE, 255.0), bright(3, PLACE), size=(32, 32), names=("a", "b"))
    assert "3 pictures are too few" in check("occlusion", few).line
    none = Method(lambda view: np.zeros((len(view), *view.size)), "None", "nothing")
    monkeypatch.setitem(methods.METHODS, "none", none)
    assert "empty everywhere" in check("none", sure).line


def test_a_model_that_knows_nothing_has_no_reasons() -> None:
    truths = [Labels((name,)) for name in "abab" * 8]
    samples = [Sample(str(row), truth=truth) for row, truth in enumerate(truths)]
    train = Dataset(samples, names=("a", "b"), kind=Labels)
    right = [Labels(("a", "b"), np.array([t.best == "a", t.best == "b"], np.float32)) for t in truths]
    blind = [Labels(("a", "b"), np.array([1, 0], np.float32)) for _ in truths]
    facts = Facts({}, ("a", "b"))
    assert knows_nothing(TASK, facts, train, samples, truths, right) == ""
    said = knows_nothing(TASK, facts, train, samples, truths, blind)
    assert "not clearly better than its baseline (accuracy 0.5 against 0.5 for 'always a' on 32 pictures)" in said
    verdicts = judge(subject(Pooled()), pictures(8), reason=said)
    assert [verdict.shown for verdict in verdicts] == [False, False]


def test_slower_methods_are_checked_only_until_one_passes() -> None:
    subject_ = subject(Patch(PLACE, 255.0), (32, 32), names=("a", "b"))
    found = judge(subject_, bright(12, PLACE))
    assert [verdict.method for verdict in found][:2] == ["layercam", "gradcam"]
    assert "makes no map" in found[0].line, "this network has no maps"
    assert found[-1].shown or len(found) == 4
    assert not any(verdict.shown for verdict in found[:-1])


# ------------------------------------------------------------------------------------------- back to the picture


@pytest.mark.parametrize("how", ["stretch", "letterbox", "tile"])
def test_a_place_of_the_input_is_the_same_place_of_the_picture(how: str) -> None:
    rows, columns = 60, 90
    mask = np.zeros((rows, columns), bool)
    mask[20:40, 50:70] = True
    spec = InputSpec((32, 48), 1, "uint8", how, overlap=8)
    placed = fit((mask * 255).astype(np.uint8)[..., None], spec)
    frames = [frame for frame, _ in placed]
    maps = np.stack([pixels[..., 0].astype(np.float32) for _, pixels in placed])
    (found,) = back(maps, frames)
    assert found.shape == (rows, columns)
    assert ((found > 127) == mask).mean() > 0.97
    for frame, pixels in placed:
        assert (inward(mask, frame) == (pixels[..., 0] > 127)).mean() > 0.95


def test_the_way_back_is_exact_to_a_part_of_a_pixel() -> None:
    """A map that says its own column, in an input twice as wide and three pixels further, and one half as wide."""
    for scale, offset in ((2.0, 3.0), (0.5, 0.0)):
        frame = Frame(0, (16, 16), (40, 40), (scale, scale), (offset, offset))
        ramp = np.broadcast_to(np.arange(40.0) + 0.5, (40, 40))
        (found,) = back(ramp[None], [frame])
        wanted = (np.arange(16) + 0.5) * scale + offset
        assert found[8, 2:-2] == pytest.approx(wanted[2:-2], abs=0.02)
        (down,) = back(ramp.T[None], [frame])
        assert down[2:-2, 8] == pytest.approx(wanted[2:-2], abs=0.02)


def test_samples_keep_their_order() -> None:
    frames = [Frame(1, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0)), Frame(0, (2, 2), (4, 4), (2.0, 2.0), (0.0, 0.0))]
    found = back(np.stack([np.ones((4, 4)), np.zeros((4, 4))]), frames)
    assert [each.shape for each in found] == [(2, 2), (4, 4)]
    assert found[1] == pytest.approx(np.ones((4, 4)))


# ----------------------------------------------------------------------------------------------- what it is like


def test_features_are_what_the_last_layer_is_given() -> None:
    network = Pooled()
    whole = subject(network)
    samples = pictures(3)
    wanted = network.maps(torch.from_numpy(np.stack([sample.pixels() for sample in samples]))).mean((2, 3))
    assert features(whole, samples) == pytest.approx(wanted.detach().numpy(), abs=1e-6)


def test_a_picture_that_was_learnt_from_is_its_own_nearest() -> None:
    samples = [Sample(s.id, s.images, Labels(("ab"[row % 2],))) for row, s in enumerate(pictures(9))]
    known = bank(subject(Pooled()), Dataset(samples))
    (near,) = known.nearest(features(subject(Pooled()), samples[4:5]), 2)
    assert near[0].id == samples[4].id
    assert near[0].names == ("a",)
    assert near[0].distance == pytest.approx(0, abs=1e-5)
    assert near[1].distance > near[0].distance
    assert len(bank(subject(Pooled()), Dataset(samples), most=4).ids) == 4


def test_the_most_typical_is_nearest_to_the_mean() -> None:
    angles = np.array([0.0, 0.1, 0.5, 2.0, 2.2, 2.1])
    vectors = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    known = Bank(tuple("uvwxyz"), (("a",),) * 3 + (("b",),) * 3, vectors)
    found = known.prototypes(2)
    assert [near.id for near in found["a"]] == ["v", "u"]
    assert found["b"][0].id == "z"
