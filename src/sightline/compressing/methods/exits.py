"""Answers given early: easy pictures leave after the first layers, the others go on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from sightline.compressing.exporting import counted
from sightline.compressing.folding import fold, parsed
from sightline.compressing.form import Budget, Form
from sightline.compressing.leaving import Leave, choose, cuts, exit_heads, frontier, stages, through
from sightline.compressing.ranges import observe, ranges
from sightline.compressing.rounding import ROUNDED, written
from sightline.compressing.staging import Stage, joined
from sightline.compressing.subject import Subject
from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.chance import generator
from sightline.core.outliers import ASKED
from sightline.core.task import Arrays, Graph, posed
from sightline.evaluating.counting import count_multiplications
from sightline.predicting.answers import judged, noted
from sightline.training.loader import Loader, mover
from sightline.training.settings import Settings

ORDER, SHARE, USUAL = 5, 2, True
ROWS, MOST = 64, 20_000  # training pictures a batch, and at most, that heads learn from
MARGIN = 0.5  # of what is allowed is spent on validation pictures, so that others are within it as well


def why_not(subject: Subject) -> str:
    """Why no picture can leave early; empty where one can."""
    if subject.task.kind is not Labels or subject.task.several:
        return f"only answers of one name say how sure they are; these are {subject.task.kind.__name__}"
    if list(subject.facts.inputs) != ["image"] or not cuts(subject.network):
        return f"'{subject.info['model']}' is not built of three levels or more in a row, with a head on the last"
    image = torch.from_numpy(subject.fed()[0]["image"])
    row = stages(subject.network, [torch.nn.Identity()] * len(cuts(subject.network)))
    with torch.no_grad():
        same = torch.allclose(through(row, image)[-1], subject.network(image=image)["logits"], atol=1e-3)
    return "" if same else "its levels one after the other are not the network"


def forms(subject: Subject, budget: Budget) -> Iterator[Form]:
    """The parent with exits, and the same in int8."""
    heads = exit_heads(subject, _pictures(subject, budget))
    row = stages(subject.network, heads)
    costs = _costs(subject, row)
    graphs = _graphs(subject, row)
    for name, made in (("exits", graphs), ("exits-int8", _rounded(subject, row, graphs))):
        passes = [subject.load(stage.graph) for stage in made]
        scores, right, parent = _asked(subject, made, passes)
        found = frontier(scores, right, costs)
        chosen = choose(found, parent, MARGIN * budget.most / 100)
        told = {"exits": len(row) - 1, "curve": [one.to_json() for one in found], "stages": costs}
        whole = counted(subject, subject.network)
        average = {"multiplications": round(chosen.cost * whole["multiplications"])}
        yield Form(
            name, "exits", joined(made, chosen.thresholds), _says(chosen), {**chosen.to_json(), **told},
            {**whole, **average, "cost": chosen.cost}, rounded=True,
        )  # fmt: skip


def _says(chosen: Leave) -> str:
    left = ", ".join(f"{share:.0%}" for share in chosen.shares)
    return f"{left} of the pictures leave at each stage; {chosen.cost:.0%} of the multiplications on average"


def _pictures(subject: Subject, budget: Budget) -> Iterator[torch.Tensor]:
    """Training pictures as they are moved in training, for so long or so many."""
    side, start = subject.parted.side("train"), time.monotonic()
    settings = Settings(**{k: v for k, v in subject.info["settings"].items() if k in ("augment", "augmentations")})
    loader = Loader(subject.task, subject.facts, side, subject.seed, mover(subject.task, subject.facts, settings), 0)
    order = generator(subject.seed, "compress", "exits").permutation(len(side)).tolist()
    for first in range(0, min(MOST, max(len(order), ROWS)), ROWS):
        batch = loader.make(1, order[first : first + ROWS], set())
        if batch.rows:
            budget.tell_progress(first, MOST)
            yield torch.from_numpy(batch.arrays["image"])
        if time.monotonic() - start > budget.seconds and first:
            return


def _costs(subject: Subject, row: Sequence[Any]) -> list[float]:
    """Multiplications of each stage for one picture."""
    state = {"image": torch.from_numpy(subject.examples()["image"])}
    found = []
    with torch.no_grad():
        for stage in row:
            given = [state[name] for name in stage.takes]
            found.append(float(_first_only(stage, given, state)))
            state |= stage(*given)
    return found


def _first_only(stage: Any, given: list[torch.Tensor], state: dict[str, torch.Tensor]) -> int:
    """A stage that is cut short costs what comes before the cut."""
    count = count_multiplications(stage, *given)
    if not hasattr(stage, "level"):
        return count
    later = state["image"].new_zeros(0)
    maps = stage.network.model(stage.network.views(given[0])[0])
    for level in stage.network.model.levels[stage.level + 1 :]:
        later = maps[stage.level] if not later.numel() else later
        count -= count_multiplications(level, later)
        later = level(later)
    return count


def _graphs(subject: Subject, row: Sequence[Any]) -> list[Stage]:
    """Every stage as a graph, its norms folded, so that stages with the same weights share them."""
    exporter, state = catalog.find("exporters", "onnx"), {"image": subject.fed()[0]["image"]}
    found = []
    for stage in row:
        given = {name: np.ascontiguousarray(state[name][:1]) for name in stage.takes}
        model = parsed(exporter.export(Graph(stage, given, dict.fromkeys(stage.takes, (0,)))))
        fold(model)
        del model.graph.value_info[:]
        graph = model.SerializeToString()
        found.append(Stage(graph, stage.takes))
        state |= subject.load(graph)({name: state[name] for name in stage.takes})
    return found


def _rounded(subject: Subject, row: Sequence[Any], graphs: Sequence[Stage]) -> list[Stage]:
    """Every stage in int8, by the ranges of what the stages before it give."""
    fed = [{"image": arrays["image"]} for arrays in subject.fed()]
    found = []
    for stage in graphs:
        model = parsed(stage.graph)
        inputs = [{name: state[name] for name in stage.takes} for state in fed]
        graph = written(model, ranges(observe(model, ROUNDED, inputs), "minmax"))
        found.append(Stage(graph, stage.takes))
        passes = subject.load(graph)
        fed = [{**state, **passes(given)} for state, given in zip(fed, inputs, strict=True)]
    return found


def _asked(subject: Subject, made: Sequence[Stage], passes: Sequence[Any]) -> tuple[np.ndarray, np.ndarray, float]:
    """How sure each stage is of each validation picture, whether it is right, and how often the parent is."""

    def every(arrays: Arrays) -> Arrays:
        state, said = dict(arrays), []
        for stage, run in zip(made, passes, strict=True):
            state |= run({name: state[name] for name in stage.takes})
            said.append(state["logits"])
        wanted = known({"image": arrays["image"]})["logits"]
        return {"logits": state["logits"], ASKED[0]: np.concatenate([*said, wanted], 1)}

    known = subject.load(subject.graph)
    val = posed(subject.task, subject.parted.side("val"), subject.facts)
    names, scores, right = subject.facts.names, [], []
    asked = noted(subject.task, every, val, subject.facts, seed=subject.seed)
    for _, truth, _, row in judged(subject.task, asked, subject.facts):
        if row and isinstance(truth, Labels):
            logits = row[ASKED[0]].reshape(len(made) + 1, -1).astype(np.float64)
            powers = np.exp(logits - logits.max(1, keepdims=True))
            scores.append((powers / powers.sum(1, keepdims=True)).max(1))
            right.append([names[best] == truth.best for best in logits.argmax(1)])
    hits = np.array(right, bool)
    return np.array(scores)[:, :-1], hits[:, :-1], float(hits[:, -1].mean())
