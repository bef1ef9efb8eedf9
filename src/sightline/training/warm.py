"""A head that begins where it can: what a trained network sees in the pictures, told apart before the first step.

A layer that answers of other names begins anew, as chance has it, and what it learns in its first steps it teaches to
everything below as well: at a few pictures a name that spoils more than the rest of the training mends. So it is
fitted first, with the task's own loss, to what the network sees in the pictures as they are. A prior holds it near the
means of names (see models/prototypes.py), the more the fewer pictures there are; where nothing is named, near zero.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.progress import Event
from sightline.core.task import Step
from sightline.training import layers
from sightline.training.features import Short
from sightline.training.learner import Called, to_device
from sightline.training.loader import Loader
from sightline.training.sampling import draw_from, plan

if TYPE_CHECKING:
    from sightline.training.loop import Loop

MOST, EACH = 2048, 20  # pictures, in all or of each name: a layer that answers needs no more to begin with
TURNS = 8  # times that each is shown, where they are few
GROUP = 64  # that are looked at together
PRIOR = 0.25  # weight of the squares of what differs from means, divided by how many pictures there are
STEPS = 60


def warm(loop: Loop) -> None:
    """Fit the layer that answers to pictures of the training side, where it begins anew on what has learnt before."""
    if not loop.fresh:
        return
    network: Any = loop.learner.network
    last = _last(network)
    if last is None or len(loop.facts.inputs) != 1 or len(loop.task.turns) != 1 or not hasattr(network, "pooled"):
        return
    network.eval()
    seen, shown = _seen(loop)
    (name,) = loop.facts.inputs
    if not shown or seen[name].ndim != 2 or not _plain(network, last, seen[name]):
        return
    middle = seen[name][shown].mean(0)
    reach = (seen[name] - middle).pow(2).sum(1).mean().sqrt().clamp(min=1e-6)
    seen[name] = (seen[name] - middle) / reach  # rows of about unit length around zero, while it is fitted
    _fit(loop, last, seen, shown)
    with torch.no_grad():
        last.weight.div_(reach)
        last.bias.sub_(last.weight @ middle)
    loop.learner.average.load_state_dict(network.state_dict())
    loop.tell(Event("note", "what answers was fitted to what the network sees in the pictures, before the first step"))


@torch.no_grad()
def _seen(loop: Loop) -> tuple[dict[str, Tensor], list[int]]:
    """What the network sees in pictures as they are, and what is known of them; which of these rows are shown."""
    (name,), settings = loop.facts.inputs, loop.settings
    drawn = _shown(loop)
    rows = sorted(set(drawn))
    loader = Loader(loop.task, loop.facts, loop.train, settings.seed, None, settings.workers)
    network: Any = loop.learner.network
    seen: list[dict[str, Tensor]] = []
    places: dict[int, int] = {}
    groups = [rows[start : start + GROUP] for start in range(0, len(rows), GROUP)]
    for batch in loader.batches(0, groups, set()):
        loop.asked.stop()
        if batch.rows:
            arrays = to_device(batch.arrays, loop.learner.choices.device)
            seen.append({**arrays, name: network.pooled(arrays[name]).float()})
            places |= {row: len(places) + place for place, row in enumerate(batch.rows)}
    whole = {key: torch.cat([part[key] for part in seen]) for key in seen[0]} if seen else {}
    return whole, [places[row] for row in drawn if row in places]


def _shown(loop: Loop) -> list[int]:
    """Rows of the training side, every name as often: of few pictures, which name has one more is chance."""
    count, settings = len(loop.train), loop.settings
    even = loop.task.even and loop.train.kind is Labels
    draw = draw_from(loop.train, "balanced") if even else loop.draw
    most = max(MOST, EACH * len(loop.facts.names))
    rows: list[int] = []
    for epoch in range(max(1, min(TURNS, most // count))):
        for group in plan(loop.task, loop.train, loop.facts, GROUP, settings.seed, epoch, draw, 1.0):
            rows += [row % count for row in group]
    return rows[:most]


def _last(network: nn.Module) -> nn.Linear | None:
    """The layer that answers, where it is one that adds and multiplies once."""
    answers = layers.answering(network)
    found = [module for name, module in network.named_modules() if answers == {f"{name}.weight", f"{name}.bias"}]
    return found[0] if found and isinstance(found[0], nn.Linear) else None


@torch.no_grad()
def _plain(network: Any, last: nn.Linear, pooled: Tensor) -> bool:
    """Whether the answer is what this layer makes of what was pooled, and nothing more."""
    if pooled.shape[1] != last.in_features:
        return False
    answers = list(network.answered(pooled).values())
    return len(answers) == 1 and torch.allclose(answers[0], last(pooled), atol=1e-4)


def _fit(loop: Loop, last: nn.Linear, seen: dict[str, Tensor], shown: list[int]) -> None:
    """The least loss over all pictures together."""
    (name,), learner = loop.facts.inputs, loop.learner
    batch = {key: value[shown] for key, value in seen.items()}
    short = Called(Short(learner.network), replace(learner.choices, precision="float32"))
    step = Step(short, short, batch, loop.facts, loop.task.turns[0], 0.0)
    learning = list(last.parameters())
    learns = [parameter.requires_grad for parameter in learning]
    usual, prior = _means(last, seen, name), PRIOR / len(set(shown))
    with torch.no_grad():
        last.weight.copy_(usual)
        last.bias.zero_()
    last.requires_grad_(True)
    optimiser: Any = torch.optim.LBFGS(learning, max_iter=STEPS, line_search_fn="strong_wolfe")

    def lost() -> Any:
        optimiser.zero_grad()
        value: Any = sum(loop.task.loss(step).values())
        value = value + prior * ((last.weight - usual).pow(2).sum() + last.bias.pow(2).sum())
        value.backward()
        return value

    optimiser.step(lost)
    with torch.no_grad():
        if not all(bool(torch.isfinite(parameter).all()) for parameter in learning):
            last.weight.copy_(usual)
            last.bias.zero_()
    for parameter, before in zip(learning, learns, strict=True):
        parameter.grad = None
        parameter.requires_grad_(before)


def _means(last: nn.Linear, batch: dict[str, Tensor], name: str) -> Tensor:
    """The layer that tells names by the means of their pictures; zeros where pictures have no one name."""
    rows, classes = batch[name], batch.get("classes")
    if classes is None or classes.ndim != 1 or classes.is_floating_point() or int(classes.max()) >= last.out_features:
        return torch.zeros_like(last.weight)
    seen = nn.Identity()
    seen.width = rows.shape[1]  # type: ignore[assignment]  # which is how prototypes ask for it
    made = catalog.find("models", "prototypes").Prototypes(seen, last.out_features).to(rows.device)
    made.solve([(rows[classes >= 0], classes[classes >= 0])])
    weight: Tensor = made.weight
    return weight
