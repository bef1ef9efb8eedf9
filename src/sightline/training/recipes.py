"""What suits data, before anything was trained on it: networks worth trying, the cheapest first, and how each learns.

The numbers were measured on photographs of 32 pixels (benchmarks/cifar.py); a run writes down those that it used.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import common_spec
from sightline.core.task import Task

TINY = 64  # pixels: the longest side of a small picture
CROWD = 10_000  # pictures: enough that large batches still make many steps
FEW = 2_000  # pictures: too few to move far from where a trained network stands
HANDFUL = 20  # pictures a name
GENTLE = 2e-4  # rate at which they move it
SHOWN = 6_000  # pictures that it is shown, where that is from 20 to 40 epochs

# Few epochs over many small pictures: whole turns of every layer, straight up and straight down again.
FAST: dict[str, Any] = {
    "optimiser": "muon",
    "rate": 0.03,
    "decay": 0.1,
    "optimiser_settings": {"memory": 0.6},
    "schedule": "linear",
    "schedule_settings": {"last": 0.0},
    "warmup": 0.15,
    "clip": 0.0,
    "average": 0.95,
    "patience": 0,
    "augmentations": [["flip", {}], ["translate", {"most": 0.0625}]],
}
# A crowd that they see so often that they would know it by heart: moved further, a square of each left out, and weights
# held shorter, so that every step turns them more.
OFTEN = 12.0  # epochs
HARDER: dict[str, Any] = {
    "decay": 0.25,
    "augmentations": [
        ["flip", {}],
        ["translate", {"most": 0.125}],
        ["erase", {"chance": 1.0, "part": [0.0625, 0.0625], "aspect": [1.0, 1.0]}],
    ],
}
FIRM = {"smoothing": 0.1, "dropout": 0.0, "mirror": True}  # options of a task that has them


@dataclass(frozen=True)
class Recipe:
    """A network and what it is told; what a user says comes before all of it."""

    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # settings that a user named for other networks than this one
    often: Mapping[str, Any] = field(default_factory=dict)  # settings where every picture is seen OFTEN
    floor: bool = False  # a baseline beside networks, left out where they need every second

    def told(self, epochs: float) -> dict[str, Any]:
        """The settings for so many epochs."""
        return {**self.settings, **(self.often if epochs >= OFTEN else {})}

    @property
    def head(self) -> bool:
        """Whether only what answers learns, from what the rest sees once: as quick as what is solved at once."""
        return self.settings.get("freeze") == "backbone"

    @property
    def name(self) -> str:
        """What tells it from the others."""
        return f"{self.model} (head)" if self.head else self.model


def plain(data: Dataset, task: Task, model: str | None, given: Mapping[str, Any] | None = None) -> Recipe:
    """What a command without options does: the task's own network and settings, or what suits a crowd of small ones.

    Of the settings `given` by name, `start` counts here: what begins with a run is a network like that run's.
    """
    given = given or {}
    if given.get("start"):
        from sightline.training.start import model_of

        name = model or model_of(str(given["start"]), "train.start")
        return Recipe(name, _onwards(data, name, given))
    if model is None and len(data) >= CROWD and _side(data, task) <= TINY:
        return Recipe("quick:s", {**_fast(len(data)), "epochs": 12}, _known(task, FIRM))
    return Recipe(model or task.model)


def _onwards(data: Dataset, model: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Small steps from where another training ended, and all of them: few pictures cannot say when it is enough.

    A handful of each name cannot teach a network to see, only spoil it: there what answers learns, and the rest rests.
    """
    count = len(data)
    if count >= FEW or "optimiser" in given:
        return {}
    found = {"rate": GENTLE, "epochs": min(40, max(20, round(SHOWN / max(1, count)))), "patience": 0}
    if data.kind is not Labels or count >= HANDFUL * max(1, len(data.names)):
        return found
    rests = catalog.find("models", model).GIVES == "pyramid"
    return found | ({"freeze": "backbone", "augment": False} if rests else {})


def ladder(data: Dataset, task: Task, model: str | None, given: Mapping[str, Any] | None = None) -> list[Recipe]:
    """The rungs: what is solved at once, then networks that grow; a model that is named stands alone.

    Where a `start` is given they are that network's: first its head, on what the rest sees in each picture once.
    """
    given = given or {}
    if given.get("start"):
        return _climbing(data, task, model, given)
    if model is not None:
        return [_rung(model, data, task)]
    side = _side(data, task)
    if side == math.inf:
        return [Recipe(task.model, {"patience": 0})]
    if side > TINY:
        names = ["ridge", "small", *(["timm:resnet18"] if _timm() else [])]
    else:
        names = ["ridge", *(["small"] if len(data) < CROWD else []), "quick:s", "quick:m", "quick:l"]
    return [_rung(name, data, task) for name in names]


def _climbing(data: Dataset, task: Task, model: str | None, given: Mapping[str, Any]) -> list[Recipe]:
    from sightline.training.start import model_of

    name = model or model_of(str(given["start"]), "train.start")
    rate = {} if "optimiser" in given or len(data) >= CROWD else {"rate": GENTLE}
    whole = Recipe(name, {"patience": 0, "batch": _batch(len(data), 64), **rate})
    if "freeze" in given or catalog.find("models", name).GIVES != "pyramid":
        return [whole]
    head = Recipe(name, {**whole.settings, "freeze": "backbone", "augment": False})
    alone = model is not None or _side(data, task) == math.inf
    return [*([] if alone else [replace(_rung("ridge", data, task), without=("start",))]), head, whole]


def _rung(model: str, data: Dataset, task: Task) -> Recipe:
    if model.startswith("quick"):
        return Recipe(model, _fast(len(data)), _known(task, FIRM), often=HARDER if len(data) >= CROWD else {})
    return Recipe(model, {"patience": 0, "batch": _batch(len(data), 64)}, floor=model == "ridge")


def _fast(count: int) -> dict[str, Any]:
    return {**FAST, "batch": _batch(count, 512)}


def _batch(count: int, most: int) -> int:
    """A power of two that leaves about eighty steps an epoch, from 16 up."""
    return int(2 ** min(math.log2(most), max(4, math.floor(math.log2(max(1, count) / 80)))))


def _known(task: Task, options: Mapping[str, Any]) -> dict[str, Any]:
    has = asdict(task.Options())
    return {name: value for name, value in options.items() if name in has}


def _side(data: Dataset, task: Task) -> float:
    """The longest side of a usual picture that has a name; infinite where nothing is named."""
    if task.kind is not Labels or data.kind is not Labels or not len(data):
        return math.inf
    try:
        return max(common_spec(data)[2])
    except InputError:
        return math.inf  # the audit and the loader meet them and say so


def _timm() -> bool:
    return importlib.util.find_spec("timm") is not None
