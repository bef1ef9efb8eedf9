"""Eight bits after training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sightline.compressing.form import Budget, Form
from sightline.compressing.judging import judge
from sightline.compressing.rounding import rounded
from sightline.compressing.subject import Subject

ORDER, SHARE, USUAL = 1, 0, True


def why_not(subject: Subject) -> str:
    """Any graph can be tried; one with nothing to round says so itself."""
    return ""


def forms(subject: Subject, budget: Budget) -> Iterator[Form]:
    """The parent's graph in int8."""
    yield in_int8(subject, subject.graph, budget, name="int8", method="int8", says="int8 after training")


def in_int8(
    subject: Subject,
    graph: bytes,
    budget: Budget,
    *,
    name: str,
    method: str,
    says: str,
    settings: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Form:
    """A graph in int8, by ranges of training pictures, judged on validation pictures against the parent."""
    held = judge(subject, "val", budget.most)
    made = rounded(graph, subject.fed(), subject.load, held.of, budget.tell)
    stayed = f", {len(made.left)} of {made.layers} layers in floats" if made.left else f", all {made.layers} layers"
    told = {"rule": made.rule, "floats": list(made.left), "tried": made.tried}
    return Form(
        name, method, made.graph, f"{says}: ranges by {made.rule}{stayed}", {**(settings or {}), **told},
        dict(facts or {}), rounded=True,
    )  # fmt: skip
