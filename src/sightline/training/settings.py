"""How to train: every number that changes the result, in one frozen record."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from typing import Any, Literal

from sightline.core import catalog
from sightline.core.errors import SettingsError
from sightline.core.recipe import parse
from sightline.training.keeping import limit_of
from sightline.training.sampling import check

FREE = ("workers", "checkpoint_seconds", "cache", "ahead")  # may differ between a run and its continuation
_LATER: dict[str, Any] = {  # as they are where a run does not name them
    "processes": 1,
    "augmentations": None,
    "optimiser_settings": {},
    "start": "",
    "teacher": "",
    "teacher_share": 0.7,
    "temperature": 2.0,
    "l1": 0.0,
    "drop_path": 0.0,
    "freeze": "",
    "compile": "auto",
    "taper": 1.0,
    "sampling": "auto",
    "resample": "smooth",
    "scale": "fixed",
}


@dataclass(frozen=True)
class Settings:
    """Defaults are for a first result that can be trusted."""

    epochs: int = 20  # times through the data
    batch: int = 16  # samples a step
    rate: float | None = None  # None: the usual one of the optimiser
    decay: float | None = None  # of weights; norms and biases are spared; None: the usual one of the optimiser
    optimiser: str = "adamw"  # how a gradient becomes a step
    optimiser_settings: dict[str, Any] = field(default_factory=dict)  # its own options
    schedule: str = "cosine"  # how the rate goes on after the warm-up
    schedule_settings: dict[str, Any] = field(default_factory=dict)  # its own options
    warmup: float = 0.05  # part of a phase in which the rate rises
    clip: float = 1.0  # largest norm of the gradient; 0: none
    accumulate: int = 1  # batches a step
    average: float = 0.99  # decay of the moving average; 0: none
    l1: float = 0.0  # of weights: how much a step at the whole rate takes from each, times the rate; few are left
    drop_path: float = 0.0  # part of the rows for which the last residual branch is left out; earlier ones less
    start: str = ""  # a run or a bundle whose weights are where this one begins, as far as they suit
    teacher: str = ""  # a run or a bundle whose answers are learnt as well
    teacher_share: float = 0.7  # of the loss
    temperature: float = 2.0  # at which a teacher's scores of names are compared
    freeze: str = ""  # what does not learn: backbone, or names of submodules with commas
    taper: float = 1.0  # factor of the rate from each layer to the one before it
    patience: int = 10  # epochs without a better first metric before it stops; 0: never
    augment: bool = True  # whether pictures are changed by chance before they are learnt from
    augmentations: list[Any] | None = None  # names or tables, see docs/augmentations.md; None: the task's own
    sampling: str = "auto"  # auto | plain | curriculum | balanced[:ATTRIBUTE] | weighted[:ATTRIBUTE]
    resample: Literal["smooth", "fast"] = "smooth"  # fast: pictures shrink without antialiasing, learning and asked
    scale: Literal["fixed", "fitted"] = "fixed"  # fitted: inputs by mean and spread of the training side's channels
    split_by: str = ""  # an attribute (site, camera, day) whose values are never parted; the last ones are for the test
    seed: int = 0  # of all chance
    device: str = "auto"  # auto | cpu | cuda | mps
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # auto: the fastest here, timed on a few steps
    layout: Literal["auto", "plain", "channels_last"] = "auto"  # of pictures in memory; auto: the same
    compile: Literal["auto", "on", "off"] = "auto"  # auto: where a long run gains by it
    threads: int = 0  # of torch, in each process; 0: as many as torch finds
    processes: int = 1  # that share out every batch; one accelerator each, where they compute on one
    bad_share: float = 0.2  # unreadable samples beyond this part stop the run
    workers: int = 2  # threads that load; 0: none
    ahead: float = 512.0  # megabytes of batches that wait for their step or are being made
    cache: str = "auto"  # of decoded pictures: auto | off | a size such as 8GB
    checkpoint_seconds: float = 60.0  # between checkpoints within an epoch; each epoch ends with one

    def __new__(cls, *given: Any, **named: Any) -> Settings:
        made = object.__new__(cls)
        object.__setattr__(made, "_asked", (*[one.name for one in fields(cls)[: len(given)]], *named))
        return made

    def named(self) -> dict[str, Any]:
        """What was asked for, also where it is as usual; where everything was, as in a copy, what is not as usual."""
        asked: tuple[str, ...] = self.__dict__.get("_asked", ())  # read from a file there is none
        if 0 < len(asked) < len(fields(self)):
            return {name: getattr(self, name) for name in asked}
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) != _usual(one)}

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "accumulate", "processes"):
            if getattr(self, name) < 1:
                raise SettingsError(f"train.{name} = {getattr(self, name)}: must be 1 or more.")
        for name in ("rate", "temperature", "checkpoint_seconds", "ahead"):
            if getattr(self, name) is not None and not getattr(self, name) > 0:
                raise SettingsError(f"train.{name} = {getattr(self, name)}: must be more than 0.")
        for name in ("warmup", "average", "bad_share", "drop_path"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"train.{name} = {getattr(self, name)}: must be from 0 up to, not including, 1.")
        for name in ("decay", "l1", "clip", "patience", "threads", "workers"):
            if (getattr(self, name) or 0) < 0:
                raise SettingsError(f"train.{name} = {getattr(self, name)}: must not be negative.")
        for name in ("taper", "teacher_share"):
            if not 0 < getattr(self, name) <= 1:
                raise SettingsError(f"train.{name} = {getattr(self, name)}: must be more than 0 and at most 1.")
        parse(self.augmentations or [])
        check(self.sampling)
        limit_of(self.cache)

    def settled(self) -> Settings:
        """The same with a number for whatever is left to the optimiser."""
        if self.rate is not None and self.decay is not None:
            return self
        usual = inspect.signature(catalog.find("optimisers", self.optimiser)).parameters
        given = {name: getattr(self, name) for name in ("rate", "decay")}
        given = {name: usual[name].default if own is None else own for name, own in given.items()}
        if any(value is inspect.Parameter.empty for value in given.values()):
            raise SettingsError(
                f"the optimiser '{self.optimiser}' has no usual rate and decay: name train.rate and train.decay."
            )
        return replace(self, **given)

    def fixed(self) -> dict[str, Any]:
        """The settings that make the result what it is."""
        given = {name: value for name, value in asdict(self).items() if name not in FREE}
        return {name: value for name, value in given.items() if _LATER.get(name) != value}


def _usual(one: Field[Any]) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()
