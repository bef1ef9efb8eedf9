"""Eight bits felt while it learns a little longer, then written by the same tool as after training."""

from __future__ import annotations

from collections.abc import Iterator

from sightline.compressing.exporting import counted, graph_of
from sightline.compressing.faking import feeling, unfelt
from sightline.compressing.form import Budget, Form
from sightline.compressing.learning import tune
from sightline.compressing.learning import why_not as why_not
from sightline.compressing.methods.int8 import in_int8
from sightline.compressing.subject import Subject

ORDER, SHARE, USUAL = 2, 2, True
RATE = 3e-5  # the network is nearly there


def forms(subject: Subject, budget: Budget) -> Iterator[Form]:
    """The network after it learnt with rounded weights and activations, in int8."""
    felt, told = tune(
        subject, feeling(subject.network), budget.seconds, rate=RATE, precision="float32", tell=budget.tell
    )
    network = unfelt(subject.network, felt)
    says = f"int8, felt for {told['steps']} steps of learning"
    yield in_int8(
        subject, graph_of(subject, network), budget, name="aware", method="aware", says=says, settings=told,
        facts=counted(subject, network),
    )  # fmt: skip
