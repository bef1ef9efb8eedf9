"""Learners of features: each against scikit-learn's own, and what they share."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC, OneClassSVM

from sightline.core import catalog
from sightline.core.errors import InputError, UnknownNameError
from sightline.core.task import Graph
from sightline.models import _learners as shared
from sightline.models import forest, knn, logistic, naive_bayes, one_class, svm

NAMES = [name for name in catalog.names("models") if getattr(catalog.find("models", name), "TAKES", "") == "features"]
ASKED = [
    *(name for name in NAMES if name != "forest"),
    "knn:3",
    "svm:linear",
    "svm:rbf",
    "forest:20",
    "one_class:svm",
]


def _rows(count: int = 160, names: int = 4, width: int = 12, apart: float = 1.2, seed: int = 0) -> Any:
    """Bells that overlap a little, of different sizes in two parts of a row."""
    rng = np.random.default_rng(seed)
    middles = np.random.default_rng(99).normal(0, apart, (names, width))
    classes = np.arange(count) % names
    x = middles[classes] + rng.normal(0, 1, (count, width))
    x[:, 8:] = x[:, 8:] * 50 + 7
    return x.astype(np.float32), classes


def _solved(name: str, x: np.ndarray, classes: np.ndarray, lengths: tuple[int, ...] = (8, 4), **settings: Any) -> Any:
    network = catalog.find("models", name).build(lengths, max(2, int(classes.max()) + 1), **settings)
    halves = ((torch.from_numpy(x[part]), torch.from_numpy(classes[part])) for part in (slice(0, 70), slice(70, None)))
    network.solve(halves)
    return network.eval()


def _logits(network: Any, x: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return np.asarray(network(torch.from_numpy(x)).numpy())


# ---------------------------------------------------------------------------------------- against scikit-learn


def test_the_front_gives_each_part_the_same_say_and_turns_to_the_widest_directions() -> None:
    x, _ = _rows()
    front = shared.Scale((8, 4), 0)
    front.fit(x)
    z = front(torch.from_numpy(x)).numpy()
    assert np.abs(z.mean(0)).max() < 1e-6
    assert [z[:, :8].var(0).sum(), z[:, 8:].var(0).sum()] == pytest.approx([0.5, 0.5], rel=1e-4)
    turned = shared.Scale((8, 4), 5)
    turned.fit(x)
    wanted = PCA(5).fit_transform(z.astype(np.float64))
    assert np.abs(np.abs(turned(torch.from_numpy(x)).numpy()) - np.abs(wanted)).max() < 1e-3


def test_a_part_that_never_changes_is_no_trouble() -> None:
    x, _ = _rows()
    x[:, 8:] = 3
    front = shared.Scale((8, 4), 0)
    front.fit(x)
    z = front(torch.from_numpy(x)).numpy()
    assert np.abs(z[:, 8:]).max() == 0
    assert z.var(0).sum() == pytest.approx(1, rel=1e-4)


def test_logistic_is_that_of_scikit_learn() -> None:
    x, classes = _rows()
    for names in (2, 4):
        wanted_of = classes % names
        mine = logistic.build((8, 4), names)
        z = (x / x.std()).astype(np.float32)
        mine.fit(z, wanted_of, penalty=1.0)
        wanted = LogisticRegression(C=1.0, class_weight="balanced", max_iter=300).fit(z, wanted_of)
        chances = torch.softmax(mine.scores(torch.from_numpy(z)), 1).numpy()
        assert chances == pytest.approx(wanted.predict_proba(z), abs=1e-5)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("names", [2, 4])
def test_svm_borders_are_those_of_scikit_learn(kernel: str, names: int) -> None:
    x, classes = _rows(apart=2.0)
    x, classes = x / 30, classes % names
    classes[:12] = 0  # not every name is as frequent
    mine = svm.build((8, 4), names)
    mine.fit(x, classes, kernel=kernel, cost=10.0)
    wanted = SVC(C=10.0, kernel=kernel, gamma=1.0, class_weight="balanced", decision_function_shape="ovo").fit(
        x, classes
    )
    fresh = _rows(apart=2.0, seed=5)[0] / 30
    borders = mine.scores(torch.from_numpy(fresh))
    decisions = wanted.decision_function(fresh)
    decisions = -decisions[:, None] if names == 2 else decisions
    assert borders.numpy() == pytest.approx(decisions, abs=2e-4)
    chosen = mine.link(borders, torch.tensor(8.0)).argmax(1).numpy()
    sure = np.abs(decisions).min(1) > 0.05
    assert (chosen == wanted.predict(fresh))[sure].mean() > 0.98


def test_very_many_names_stand_each_against_all() -> None:
    x, classes = _rows(400, 80, apart=5)
    mine = svm.build((12,), 80)
    assert {choice["kernel"] for choice in mine.options(300)} == {"linear"}
    mine.fit(x / 50, classes, kernel="linear", cost=1.0)
    wanted = LinearSVC(C=1.0, class_weight="balanced", random_state=0).fit(x / 50, classes)
    borders = mine.scores(torch.from_numpy(x / 50))
    assert borders.numpy() == pytest.approx(wanted.decision_function(x / 50), abs=1e-3)
    assert (mine.link(borders, torch.ones(1)).argmax(1).numpy() == wanted.predict(x / 50)).all()


def test_forest_walks_as_scikit_learn_does() -> None:
    x, classes = _rows()
    mine = forest.build((8, 4), 4, trees=30)
    mine.fit(x, classes, leaf=1)
    wanted = RandomForestClassifier(30, class_weight="balanced_subsample", max_depth=24, random_state=0).fit(x, classes)
    edges = np.concatenate([tree.tree_.threshold for tree in wanted.estimators_]).astype(np.float32)
    fresh = np.concatenate([_rows(seed=3)[0], np.resize(edges, (200, 12))])  # rows that lie on the borders themselves
    chances = np.exp(mine.scores(torch.from_numpy(fresh)).detach().numpy()) - shared.FLOOR
    assert chances == pytest.approx(wanted.predict_proba(fresh), abs=1e-5)
    assert mine.importance.numpy() == pytest.approx(wanted.feature_importances_, abs=1e-6)


def test_neighbours_vote_as_those_of_scikit_learn() -> None:
    x, classes = _rows()
    x = x / x.std()
    fresh = (_rows(seed=3)[0] / _rows()[0].std()).astype(np.float32)
    for near in (1, 5):
        mine = knn.build((8, 4), 4)
        mine.fit(x, classes, neighbours=near)
        wanted = KNeighborsClassifier(near, weights="distance").fit(x, classes)
        shares = np.exp(mine.scores(torch.from_numpy(fresh)).numpy()) - shared.FLOOR
        assert shares == pytest.approx(wanted.predict_proba(fresh), abs=1e-3)


def test_naive_bayes_is_that_of_scikit_learn() -> None:
    x, classes = _rows()
    x = x / x.std(0)
    mine = naive_bayes.build((8, 4), 4)
    mine.fit(x, classes, smooth=1e-2)
    wanted = GaussianNB(priors=[0.25] * 4, var_smoothing=1e-2).fit(x.astype(np.float64), classes)
    chances = torch.softmax(mine.scores(torch.from_numpy(x)), 1).numpy()
    assert chances == pytest.approx(wanted.predict_proba(x.astype(np.float64)), abs=1e-4)


def test_one_class_is_that_of_scikit_learn() -> None:
    x, classes = _rows()
    usual = x[classes == 0]
    mine = one_class.build((8, 4), kind="svm")
    mine.solve([(torch.from_numpy(x), torch.from_numpy(classes))])
    with torch.no_grad():
        z, fresh = (mine.front(torch.from_numpy(rows)).numpy().astype(np.float64) for rows in (usual, x))
        strange = mine.strangeness(torch.from_numpy(x)).numpy()
    wanted = OneClassSVM(gamma=1 / z.var(0).sum(), nu=0.1).fit(z)
    assert -strange * wanted.dual_coef_.sum() == pytest.approx(wanted.score_samples(fresh), abs=1e-3)


# ------------------------------------------------------------------------------------------------ what they share


@pytest.mark.parametrize("name", ASKED)
def test_it_tells_fresh_rows_and_its_arrays_are_all_there_is(name: str) -> None:
    x, classes = _rows(apart=3.0)
    network = _solved(name, x, classes)
    fresh, truth = _rows(apart=3.0, seed=1)
    logits = _logits(network, fresh)
    if name.startswith("one_class"):
        assert roc_auc_score(truth > 0, logits[:, 1]) > 0.95
    else:
        assert (logits.argmax(1) == truth).mean() > 0.9
    twin = catalog.find("models", name).build((8, 4), 4)
    twin.load_state_dict(network.state_dict())
    assert np.array_equal(_logits(twin.eval(), fresh), logits)
    again = _logits(_solved(name, x, classes), fresh)
    assert np.array_equal(again, logits), "the same rows, the same answers"


@pytest.mark.parametrize("name", ASKED)
def test_the_exported_graph_answers_alike(name: str) -> None:
    pytest.importorskip("onnxscript")
    exporter = catalog.find("exporters", "onnx")
    x, classes = _rows(apart=2.5)
    x *= 3  # far out, where a careless logarithm is minus infinity
    network = _solved(name, x, classes)
    fresh = np.concatenate([_rows(apart=2.5, seed=1)[0] * 9, x[:3], x[:1] * 1000])
    run = exporter.load(exporter.export(Graph(_Named(network), {"x": x[:1]}, {"x": (0,)})), name, 1)
    wanted, got = _logits(network, fresh), run({"x": fresh})["logits"]
    assert np.isfinite(got).all()
    assert np.abs(got - wanted).max() <= 1e-4 * max(1.0, float(np.abs(wanted).max()))
    assert run({"x": fresh[:1]})["logits"][0] == pytest.approx(got[0], abs=1e-3)


class _Named(torch.nn.Module):
    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": self.network(x)}


@pytest.mark.parametrize("name", ["logistic", "naive_bayes", "svm", "forest", "knn"])
def test_its_chances_are_as_sure_as_they_are_right(name: str) -> None:
    """Where names overlap, what it says of fresh rows costs little more than knowing how often it is right."""
    x, classes = _rows(400, apart=0.8)
    fresh, truth = _rows(2000, apart=0.8, seed=1)
    logits = torch.from_numpy(_logits(_solved(name, x, classes), fresh))
    sure, right = torch.softmax(logits, 1).max(1).values.numpy(), logits.argmax(1).numpy() == truth
    assert abs(sure.mean() - right.mean()) < 0.06


@pytest.mark.parametrize("name", ["logistic", "svm", "forest", "naive_bayes"])
def test_a_rare_name_is_not_forgotten(name: str) -> None:
    x, classes = _rows(1000, 2, apart=0.8)
    kept = np.concatenate([np.flatnonzero(classes == 0), np.flatnonzero(classes == 1)[:12]])
    fresh, truth = _rows(1000, 2, apart=0.8, seed=1)
    found = _logits(_solved(name, x[kept], classes[kept]), fresh).argmax(1)
    assert (found == truth)[truth == 1].mean() > 0.3


@pytest.mark.parametrize("name", [name for name in NAMES if name != "one_class"])
def test_too_little_is_one_line_or_an_answer(name: str) -> None:
    x, _classes = _rows()
    with pytest.raises(InputError, match="two names or more; found 1"):
        _solved(name, x, np.zeros(len(x), np.int64))
    with pytest.raises(InputError, match="no picture to learn from"):
        catalog.find("models", name).build((8, 4), 2).solve([])
    network = catalog.find("models", name).build((8, 4), 3)
    network.solve([(torch.from_numpy(x[:2]), torch.tensor([0, 2]))])  # a picture each, and a name that is never seen
    logits = _logits(network.eval(), x[:2])
    assert np.isfinite(logits).all()
    assert logits.argmax(1).tolist() == [0, 2]


def test_one_class_needs_some_usual_pictures_and_keeps_to_its_alarms() -> None:
    x, classes = _rows()
    with pytest.raises(InputError, match="6 usual pictures or more; found 3"):
        _solved("one_class", x[:12], classes[:12])
    many, _ = _rows(1200, 1)
    for name in ("one_class", "one_class:svm"):
        network = _solved(name, many[:600], np.zeros(600, np.int64))
        logits = _logits(network, many[600:])
        assert 0.02 < (logits[:, 1] > logits[:, 0]).mean() < 0.1


def test_the_usual_distance_is_that_of_ledoit_and_wolf() -> None:
    x, classes = _rows()
    mine = one_class.build((8, 4))
    mine.solve([(torch.from_numpy(x), torch.from_numpy(classes))])
    with torch.no_grad():
        z, fresh = (mine.front(torch.from_numpy(rows)).numpy().astype(np.float64) for rows in (x[classes == 0], x))
        strange = mine.strangeness(torch.from_numpy(x)).numpy()
    wanted = LedoitWolf().fit(z).mahalanobis(fresh)
    assert np.square(strange) * z.shape[1] == pytest.approx(wanted, rel=1e-3)


def test_what_is_unusual_shows_where_usual_rows_hardly_differ() -> None:
    chance = np.random.default_rng(0)
    wide = chance.normal(size=(200, 40)) @ chance.normal(size=(40, 300))
    usual = (wide + 0.3 * chance.normal(size=wide.shape)).astype(np.float32)
    unusual = usual[:60] + 2 * chance.normal(size=(60, 300)).astype(np.float32)
    model = _solved("one_class", usual[60:], np.zeros(140, np.int64), lengths=(300,))
    known, other = _logits(model, usual[:60])[:, 1], _logits(model, unusual)[:, 1]
    assert roc_auc_score(np.repeat([0, 1], 60), np.concatenate([known, other])) > 0.98


@pytest.mark.parametrize("name", ["knn:0", "knn:many", "svm:curved", "forest:0", "one_class:tree"])
def test_a_variant_that_is_not_there_is_one_line(name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"model '{name.split(':')[0]}' has no"):
        catalog.find("models", name)


def test_folds_hold_every_name_and_samples_of_many_keep_the_rare() -> None:
    classes = np.array([0] * 30 + [1] * 6 + [2] * 3)
    fold = shared.folded(classes)
    assert all(np.bincount(fold[classes == name], minlength=3).min() >= 1 for name in range(3))
    many = np.array([0] * 9000 + [1] * 20)
    some = shared._some(many)
    assert len(some) == shared.LOOKED
    assert (many[some] == 1).sum() == 20


@pytest.mark.parametrize("name", ASKED)
def test_random_directions_come_before_every_learner(name: str) -> None:
    x, classes = _rows(240)
    learnt = classes * 0 if name.startswith("one_class") else classes
    network = _solved(name, x, learnt, keep="random:6")
    assert network.front.axes.shape == (12, 6)
    assert np.isfinite(_logits(network, x)).all()
    again = _solved(name, x, learnt, keep="random:6")
    assert np.array_equal(network.front.axes, again.front.axes)
    assert _solved(name, x, learnt, keep="random:12").front.axes.shape == (0, 0), "no fewer numbers"
