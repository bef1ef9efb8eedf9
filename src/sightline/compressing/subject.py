"""What is compressed: a run or a bundle with its data parted as it was, its network and the graph it answers by."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import bundle as bundles
from sightline.core import catalog
from sightline.core.bundle import Bundle
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.errors import BundleError, RunError
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run, open_run
from sightline.core.sides import reopen
from sightline.core.splitting import split_digest
from sightline.core.task import Arrays, Facts, Task, posed
from sightline.core.task import Run as Pass
from sightline.predicting.answers import answers
from sightline.predicting.model import torch_network, trained
from sightline.predicting.named import is_name, whereabouts

GRAPH = "model.onnx"
LEARNT_FROM = 256  # pictures whose activations say how they are rounded
FEWEST, MOST_BYTES = 32, 2**28  # of those, and of all their inputs together
ROWS = 8  # of a batch while every activation is looked at


@dataclass(frozen=True, eq=False)
class Subject:
    """The parent of all forms, and everything that making and measuring them asks for."""

    info: Mapping[str, Any]  # what a run or a card says
    task: Task
    facts: Facts
    network: Any  # in torch, in eval mode; never changed: take `copied`
    parted: Dataset
    parent: Bundle
    folder: Path  # where what is made is kept
    where: str  # what a teacher is found by
    memory: dict[str, Any] = field(default_factory=dict)  # what the parent was asked once
    _fed: list[Arrays] = field(default_factory=list)

    @property
    def graph(self) -> bytes:
        """The graph of the parent."""
        return self.parent.files[GRAPH]

    @property
    def seed(self) -> int:
        return int(self.info["settings"]["seed"])

    def copied(self) -> Any:
        """A network of its own to change."""
        return copy.deepcopy(self.network)

    def load(self, graph: bytes, name: str = "the graph", threads: int | None = None) -> Pass:
        """One pass of a graph in the runtime."""
        passes: Pass = catalog.find("exporters", "onnx").load(graph, name, threads)
        return passes

    def fed(self) -> list[Arrays]:
        """Inputs of training pictures, as the network gets them; the same ones whenever they are asked for."""
        if self._fed:
            return self._fed
        side = self.parted.side("train")
        if not len(side):
            raise RunError(f"{self.parted.name} has no training side to learn ranges from.")
        order = generator(self.seed, "compress").permutation(len(side))[:LEARNT_FROM]
        chosen = posed(self.task, side.take([int(row) for row in np.sort(order)]), self.facts)
        known, size, rows = self.load(self.graph), 0, 0

        def noting(arrays: Arrays) -> Arrays:
            self._fed.append({name: np.array(array) for name, array in arrays.items()})
            return known(arrays)

        for _ in answers(self.task, noting, chosen, self.facts, batch=ROWS):
            rows = sum(len(next(iter(arrays.values()))) for arrays in self._fed)
            size = sum(array.nbytes for arrays in self._fed for array in arrays.values())
            if size > MOST_BYTES and rows >= FEWEST:
                break
        if not self._fed:
            raise RunError(f"no training picture of {self.parted.name} can be read.")
        return self._fed

    def examples(self) -> Arrays:
        """One input of each kind, as the graph takes it: a sampler is fed other things than pictures."""
        (graph,) = self.task.graphs(self.network, self.facts).values()
        return dict(graph.inputs)


def open_subject(what: Any, folder: Path, data: Any = None, tell: Tell = silent) -> Subject:
    """A finished run, or a bundle with the data it was trained on; one line where a part is missing."""
    path = whereabouts(str(what)) if is_name(str(what)) else Path(str(what))
    if not isinstance(what, Run) and not Run(path).exists and path.exists():
        return _of_bundle(path, folder, data)
    run = open_run(what)
    task, facts, network = trained(run)
    parted = reopen(run.info, data, folder=run.path)
    parent = _parent_of(run, task, folder, data, tell)
    return Subject(run.info, task, facts, network, parted, parent, folder, str(run.path))


def _of_bundle(path: Path, folder: Path, data: Any) -> Subject:
    parent = _with_graph(bundles.load(path))
    card = parent.model
    if data is None:
        raise RunError(f"{path} is a bundle: name the data it was trained on with --data, or give its run.")
    task: Task = catalog.find("tasks", card["task"]).TASK
    facts = Facts.from_json(card["facts"])
    info = {**card, "data": {"where": None, "format": None, **card["data"]}}
    parted = reopen(info, data)
    if split_digest(parted) != card["split"]:
        raise RunError(
            f"{data} is not parted as it was when {path} learnt, so nobody can say which pictures it has not seen. "
            "Give the run itself."
        )
    network = torch_network(task, card["model"], facts, bundles.weights(parent))
    return Subject(info, task, facts, network, parted, parent, folder, str(path))


def _parent_of(run: Run, task: Task, folder: Path, data: Any, tell: Tell) -> Bundle:
    """The bundle of the run, where it is of these weights; else one that is written for the search."""
    if run.bundle.exists():
        found = bundles.load(run.bundle)
        if found.files.get("weights.safetensors") == run.weights.read_bytes():
            return _with_graph(found)
    made = folder / "parent"
    if made.exists() and bundles.load(made).files.get("weights.safetensors") == run.weights.read_bytes():
        return _with_graph(bundles.load(made))
    from sightline.exporting.export import export

    tell(Event("note", "exporting the run, to have something to compare with"))
    return _with_graph(bundles.load(export(run, made, data=data, tell=tell).path))


def _with_graph(bundle: Bundle) -> Bundle:
    graphs = [name for name in bundle.files if name.endswith(".onnx")]
    if graphs != [GRAPH]:
        what = "no graph" if not graphs else f"{len(graphs)} graphs ({', '.join(graphs)})"
        raise BundleError(f"{bundle.path} holds {what}; what is compressed has one, {GRAPH}.")
    return bundle
