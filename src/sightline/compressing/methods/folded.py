"""Norms folded into the layers before them: the same answers in fewer steps."""

from __future__ import annotations

from collections.abc import Iterator

from sightline.compressing.folding import apart, fold, parsed
from sightline.compressing.form import Budget, Form
from sightline.compressing.subject import Subject
from sightline.core.errors import RunError
from sightline.core.onnxscan import check_onnx

ORDER, SHARE, USUAL = 0, 0, True
EQUAL = 1e-4  # of the largest number an output holds


def why_not(subject: Subject) -> str:
    """Why there is nothing to fold; empty where there is."""
    return "" if fold(parsed(subject.graph)) else "it has no norm that stands behind a convolution"


def forms(subject: Subject, budget: Budget) -> Iterator[Form]:
    """One form, shown to be equal."""
    model = parsed(subject.graph)
    count = fold(model)
    del model.graph.value_info[:]
    graph: bytes = model.SerializeToString()
    check_onnx(graph, "the folded graph")
    gaps = apart(subject.load(subject.graph), subject.load(graph), subject.fed()[:4])
    if not all(gap <= EQUAL for gap in gaps.values()):
        raise RunError(f"folding {count} norms changed the answers ({gaps}).")
    says = f"{count} norms folded into convolutions; outputs equal to {max(gaps.values()):.1e} of their size"
    yield Form("folded", "folded", graph, says, {"norms": count, "gaps": gaps})
