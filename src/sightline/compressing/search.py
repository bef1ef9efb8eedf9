"""Try the ways there are to make a model smaller or faster, and give back the best that keeps its answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from sightline.compressing.form import Budget, Form, kept
from sightline.compressing.judging import BEYOND, WITHIN, Loss, judge
from sightline.compressing.methods import chosen
from sightline.compressing.methods.int8 import in_int8
from sightline.compressing.subject import Subject, open_subject
from sightline.compressing.timing import latencies
from sightline.compressing.writing import Written, write
from sightline.core.bundle import refuse_place
from sightline.core.errors import RunError, SettingsError, SightlineError
from sightline.core.files import canonical, locked, sweep, write_durably
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run, open_run
from sightline.evaluating.evaluate import finite
from sightline.training.guard import Interrupted

LEARNING = 0.7  # of the time: the rest is for asking, rounding and measuring
DEAD = ("folded", "weights")  # of whose graphs int8 is no other than the parent's

Target = Literal["latency", "size"]


@dataclass(frozen=True)
class Row:
    """One line of the table: a form, how large and how fast it is, and what it lost on validation pictures."""

    name: str
    method: str
    says: str
    size: int
    latency: float  # milliseconds of processor time a picture, one thread
    loss: Loss | None  # None: the parent itself
    facts: Mapping[str, Any]
    settings: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "loss": None if self.loss is None else self.loss.to_json()}


@dataclass(frozen=True)
class Compressed:
    """All that was tried, and what was chosen; `written` is None where nothing was fit to be written."""

    rows: tuple[Row, ...]  # the parent first
    choice: str
    why: str
    written: Written | None
    refused: Mapping[str, str]
    target: str
    allowed: float
    folder: Path
    metric: str = ""

    @property
    def good(self) -> bool:
        """Whether something was written whose drop is surely as small as allowed."""
        return self.written is not None and self.written.version != "" and self.written.loss.verdict == WITHIN

    def to_json(self) -> dict[str, Any]:
        made = self.written
        held = None
        if made is not None:
            held = {**vars(made), "path": str(made.path) if made.version else None, "loss": made.loss.to_json()}
        plain: dict[str, Any] = finite(
            {
                "rows": [row.to_json() for row in self.rows], "choice": self.choice, "why": self.why, "written": held,
                "refused": dict(self.refused), "target": self.target, "max_drop": self.allowed,
                "folder": str(self.folder), "good": self.good,
            }
        )  # fmt: skip
        return plain


def compress(
    what: Any,
    to: str | Path | None = None,
    *,
    data: Any = None,
    max_drop: float = 0.5,
    target: Target = "latency",
    methods: Sequence[str] = (),
    minutes: float = 10.0,
    student: str | None = None,
    out: str | Path | None = None,
    tell: Tell = silent,
) -> Compressed:
    """Search over the methods; the same call goes on where one was stopped.

    The choice is made on validation pictures, the verdict on the held-out side. `max_drop` is in points: hundredths of
    the first metric where it is a share, else its own unit.
    """
    _check(max_drop, target, minutes)
    ways = chosen(tuple(methods))
    folder = Path(out) if out else _folder(what)
    place = Path(to) if to else folder / "best.sightline"
    refuse_place(place)
    with locked(folder):
        sweep(folder)
        subject = open_subject(what, folder, data, tell)
        if student:
            subject = replace(subject, info={**subject.info, "student": student})
        _planned(
            folder, {"parent": subject.parent.version, "max_drop": max_drop, "minutes": minutes, "student": student}
        )
        search = _Search(subject, Budget(minutes * 60 * LEARNING, max_drop, tell))
        search.go(ways)
        rows = search.rows()
        best, why = best_of(rows, target)
        written = None
        if best is not None:
            form = kept(search.forms, best.name)
            timed = {"latency": best.latency, "parent_latency": rows[0].latency}
            written = write(subject, form, place, max_drop, timed, tell)
            why = f"{why}; {written.loss.line}"
        name = best.name if best else ""
        made = Compressed(rows, name, why, written, search.refused, target, max_drop, folder, subject.task.metrics[0])
        write_durably(folder / "compressed.json", canonical(made.to_json()))
    return made


def best_of(rows: Sequence[Row], target: str) -> tuple[Row | None, str]:
    """The best form by the target of those that keep the answers; those surely within come before those that may be."""
    parent, others = rows[0], rows[1:]
    key = (lambda row: row.latency) if target == "latency" else (lambda row: float(row.size))
    better = [row for row in others if key(row) < key(parent)]
    word = "faster" if target == "latency" else "smaller"
    if not better:
        return None, f"nothing that was tried is {word} than the parent"
    sure = [row for row in better if row.loss is not None and row.loss.verdict == WITHIN]
    maybe = [row for row in better if row.loss is not None and row.loss.drop <= row.loss.allowed]
    if not sure and not maybe:
        return None, f"whatever is {word} than the parent loses more than allowed on validation pictures"
    best = min(sure or maybe, key=key)
    times = key(parent) / max(key(best), 1e-9)
    return best, f"{best.name}: {times:.2f} times {word} than the parent"


class _Search:
    """The methods one after the other; what is done is kept, and not done again."""

    def __init__(self, subject: Subject, budget: Budget) -> None:
        self.subject, self.budget, self.tell = subject, budget, budget.tell
        self.forms, self.notes = subject.folder / "forms", subject.folder / "notes"
        self.refused: dict[str, str] = {}
        self.made: list[str] = []

    def go(self, ways: Mapping[str, ModuleType]) -> None:
        """Every method, and int8 of what they made."""
        able = {}
        for name, method in ways.items():
            why = method.why_not(self.subject)
            if why:
                self._refuse(name, why)
            else:
                able[name] = method
        shares = sum(method.SHARE for method in able.values()) or 1
        for name, method in able.items():
            budget = replace(self.budget, seconds=self.budget.seconds * method.SHARE / shares)
            self._step(name, lambda method=method, budget=budget: method.forms(self.subject, budget))
        if "int8" in able:
            for name in list(self.made):
                form = kept(self.forms, name)
                if not form.rounded and form.method not in DEAD and self.loss(form).verdict != BEYOND:
                    self._step(f"{name}-int8", lambda form=form: iter([self._rounded(form)]))

    def _rounded(self, form: Form) -> Form:
        return in_int8(
            self.subject, form.graph, self.budget, name=f"{form.name}-int8", method=form.method,
            says=f"{form.says}; then int8", settings=form.settings, facts=form.facts,
        )  # fmt: skip

    def _step(self, name: str, make: Any) -> None:
        """One method, or what was kept of it; what fails is told in the table and stops nothing else."""
        note = self.notes / f"{name}.json"
        if note.is_file():
            known = json.loads(note.read_bytes())
            self.made += known["forms"]
            self.refused |= known["refused"]
            return
        self.tell(Event("note", f"trying {name}"))
        names: list[str] = []
        why: dict[str, str] = {}
        try:
            for form in make():
                self.tell(Event("note", f"{form.name}: {form.size:,} bytes, {form.says}"))
                form.keep(self.forms)
                self.loss(form)
                names.append(form.name)
        except Interrupted:
            raise
        except SightlineError as error:
            why = {name: error.message}
            self._refuse(name, error.message)
        self.made += names
        write_durably(note, canonical({"forms": names, "refused": why}))

    def _refuse(self, name: str, why: str) -> None:
        self.refused[name] = why
        self.tell(Event("note", f"no {name}: {why}"))

    def loss(self, form: Form) -> Loss:
        """What a form lost on validation pictures, measured once."""
        place = self.subject.folder / "losses" / f"{form.name}.json"
        if place.is_file():
            return Loss.read(json.loads(place.read_bytes()))
        found = judge(self.subject, "val", self.budget.most, self.tell).of(form.graph)
        write_durably(place, canonical(found.to_json()))
        self.tell(Event("note", f"{form.name}: {found.line}"))
        return found

    def rows(self) -> tuple[Row, ...]:
        """The table: the parent, then every form, timed side by side."""
        forms = [kept(self.forms, name) for name in self.made]
        losses = [self.loss(form) for form in forms]
        graphs = {"parent": self.subject.graph, **{form.name: form.graph for form in forms}}
        self.tell(Event("note", f"timing {len(graphs)} graphs side by side"))
        timed = latencies(self.subject, graphs)
        model, count = self.subject.info["model"], int(self.subject.parent.model["parameters"])
        first = Row("parent", "", model, len(self.subject.graph), timed["parent"], None, {"parameters": count}, {})
        others = (
            Row(form.name, form.method, form.says, form.size, timed[form.name], loss, form.facts, form.settings)
            for form, loss in zip(forms, losses, strict=True)
        )
        return (first, *others)


def _check(max_drop: float, target: str, minutes: float) -> None:
    if not 0 < max_drop < math.inf:
        raise SettingsError(f"--max-drop {max_drop:g}: must be more than 0 points, since no interval has no width.")
    if target not in ("latency", "size"):
        raise SettingsError(f"--target {target}: must be latency or size.")
    if not 0 < minutes < math.inf:
        raise SettingsError(f"--minutes {minutes:g}: must be more than 0.")


def _folder(what: Any) -> Path:
    """Where a search keeps what it made: in its run, or beside its bundle."""
    path = Path(str(what))
    if not isinstance(what, Run) and not Run(path).exists and path.exists():
        return path.with_name(f"{path.stem}-compressed")
    return open_run(what).path / "compressed"


def _planned(folder: Path, wanted: dict[str, Any]) -> None:
    """Write down what a search was begun with; another one in the same folder is refused."""
    place = folder / "search.json"
    if place.is_file():
        was = json.loads(place.read_bytes())
        changed = [f"{name} was {was.get(name)}" for name, value in wanted.items() if was.get(name) != value]
        if changed:
            raise RunError(
                f"{folder} was begun otherwise ({'; '.join(changed)}). Use the same to go on, or another --out."
            )
        return
    write_durably(place, canonical(wanted))
