"""Eight bits felt while it learns a little longer, then written by the same tool as after training."""

from __future__ import annotations

from collections.abc import Iterator

from sightline.compressing.exporting import counted, graph_of
from sightline.compressing.faking import feeling, unfelt
from sightline.compressing.form import Budget, Form, kept
from sightline.compressing.judging import judge
from sightline.compressing.learning import tune
from sightline.compressing.learning import why_not as why_not
from sightline.compressing.methods.int8 import in_int8
from sightline.compressing.subject import Subject
from sightline.core.errors import RunError

ORDER, SHARE, USUAL = 2, 2, True
RATE = 1e-5  # the network is nearly there, and larger steps cost more than the rounding


def forms(subject: Subject, budget: Budget) -> Iterator[Form]:
    """The network after it learnt with rounded weights and activations, in int8; kept where it beats int8 alone."""
    felt, told = tune(
        subject, feeling(subject.network), budget.seconds, rate=RATE, precision="float32", tell=budget.tell
    )
    network = unfelt(subject.network, felt)
    says = f"int8, felt for {told['steps']} steps of learning"
    made = in_int8(
        subject, graph_of(subject, network), budget, name="aware", method="aware", says=says, settings=told,
        facts=counted(subject, network),
    )  # fmt: skip
    _worth(subject, budget, made, told["steps"])
    yield made


def _worth(subject: Subject, budget: Budget, made: Form, steps: int) -> None:
    """Refuse what learning has made worse than int8 after training, where that was tried before."""
    folder = subject.folder / "forms"
    if not (folder / "int8.json").is_file():
        return
    held = judge(subject, "val", budget.most, budget.tell)
    before, after = held.of(kept(folder, "int8").graph), held.of(made.graph)
    if after.drop > before.drop:
        raise RunError(
            f"{steps} steps with the rounding felt lose {after.drop:+.2f} points, int8 after training "
            f"{before.drop:+.2f}: that stays. More --minutes may help where int8 itself loses too much."
        )
