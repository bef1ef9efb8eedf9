"""Zeros among the weights. A graph keeps and multiplies them like other numbers: it packs smaller and is no faster."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from sightline.compressing.exporting import form_of
from sightline.compressing.form import Budget, Form
from sightline.compressing.learning import tune
from sightline.compressing.learning import why_not as why_not
from sightline.compressing.pruning import Sparse, sparsity
from sightline.compressing.subject import Subject

ORDER, SHARE, USUAL = 7, 4, False
SHARES = (0.5, 0.75, 0.9, 0.95)
RATE = 5e-4


def forms(subject: Subject, budget: Budget) -> Iterator[Form]:
    """A form for each share of zeros, each from the one before."""
    network = subject.copied()
    for share in SHARES:
        sparse = Sparse(share)
        network, told = tune(subject, network, budget.seconds / len(SHARES), rate=RATE, after=sparse, tell=budget.tell)
        found = sparsity(network)
        made = form_of(
            subject,
            network,
            f"weights-{share:.0%}".rstrip("%"),
            "weights",
            "",
            {"share": share, **told},
            sparsity=found,
        )
        packed = len(zlib.compress(made.graph, 6))
        says = (
            f"{found:.0%} of the weights are zero, learnt again for {told['steps']} steps; "
            f"{packed:,} bytes when packed, no smaller in memory and no faster on processors"
        )
        yield Form(made.name, made.method, made.graph, says, made.settings, {**made.facts, "packed": packed})
