"""Fewer channels: those that matter least go in every layer at once, then what is left learns again."""

from __future__ import annotations

from collections.abc import Iterator

from sightline.compressing.exporting import counted, form_of
from sightline.compressing.form import Budget, Form
from sightline.compressing.learning import tune
from sightline.compressing.learning import why_not as why_not
from sightline.compressing.pruning import pruned
from sightline.compressing.subject import Subject

ORDER, SHARE, USUAL = 3, 4, True
SHARES = (0.25, 0.5)
RATE = 1e-3


def forms(subject: Subject, budget: Budget) -> Iterator[Form]:
    """A form for each share of channels."""
    before = counted(subject, subject.network)
    for share in SHARES:
        network, told = tune(subject, pruned(subject, share), budget.seconds / len(SHARES), rate=RATE, tell=budget.tell)
        now = counted(subject, network)
        less = now["multiplications"] / max(1, before["multiplications"])
        says = (
            f"{share:.0%} of the channels taken out: {now['parameters']:,} of {before['parameters']:,} parameters, "
            f"{less:.0%} of the multiplications; learnt again for {told['steps']} steps"
        )
        yield form_of(subject, network, f"channels-{share:.0%}".rstrip("%"), "channels", says, {"share": share, **told})
