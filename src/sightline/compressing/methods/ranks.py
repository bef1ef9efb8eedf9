"""Wide layers as two narrow ones: a convolution or a matrix by its largest singular values, then learnt again."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from sightline.compressing.exporting import counted, form_of
from sightline.compressing.form import Budget, Form
from sightline.compressing.learning import tune
from sightline.compressing.learning import why_not as able
from sightline.compressing.subject import Subject

ORDER, SHARE, USUAL = 4, 2, True
PARTS = (0.5,)  # of the multiplications of a layer that two layers may take
NARROW = 64  # channels in or out below which a layer stays as it is
RATE = 5e-4


def why_not(subject: Subject) -> str:
    """Why no layer is taken apart; empty where one is."""
    if not any(rank_of(layer, max(PARTS)) for layer in subject.network.modules()):
        return f"no layer is wide enough ({NARROW} channels in and out) to be taken apart"
    return able(subject)


def forms(subject: Subject, budget: Budget) -> Iterator[Form]:
    """A form for each part."""
    before = counted(subject, subject.network)
    for part in PARTS:
        network = subject.copied()
        count = take_apart(network, part)
        network, told = tune(subject, network, budget.seconds / len(PARTS), rate=RATE, tell=budget.tell)
        now = counted(subject, network)
        says = (
            f"{count} layers as two of low rank: {now['parameters']:,} of {before['parameters']:,} parameters, "
            f"{now['multiplications'] / before['multiplications']:.0%} of the multiplications; "
            f"learnt again for {told['steps']} steps"
        )
        yield form_of(subject, network, f"ranks-{part:.0%}".rstrip("%"), "ranks", says, {"part": part, **told})


def take_apart(network: nn.Module, part: float) -> int:
    """Replace every wide layer in place; how many."""
    count = 0
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            rank = rank_of(layer, part)
            if rank:
                setattr(parent, name, two(layer, rank))
                count += 1
    return count


def rank_of(layer: nn.Module, part: float) -> int:
    """The rank by which two layers take this part of the multiplications of one; 0 where it is not worth it."""
    if isinstance(layer, nn.Linear):
        before, after = layer.in_features, layer.out_features
    elif isinstance(layer, nn.Conv2d) and layer.groups == 1 and layer.padding_mode == "zeros":
        before, after = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1], layer.out_channels
    else:
        return 0
    wide = min(after, before if isinstance(layer, nn.Linear) else layer.in_channels)
    rank = int(part * before * after / (before + after))
    return rank - rank % 8 if wide >= NARROW and rank >= 8 else 0


@torch.no_grad()
def two(layer: nn.Module, rank: int) -> nn.Sequential:
    """The nearest pair of layers of this rank: the error is the energy of the singular values left out."""
    assert isinstance(layer, nn.Linear | nn.Conv2d)
    left, values, right = torch.linalg.svd(layer.weight.detach().flatten(1).double(), full_matrices=False)
    root = values[:rank].sqrt()
    first, last = (root[:, None] * right[:rank]).float(), (left[:, :rank] * root).float()
    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        into: nn.Module = nn.Linear(layer.in_features, rank, bias=False)
        out: nn.Module = nn.Linear(rank, layer.out_features, bias=bias)
    else:
        kept = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
        into = nn.Conv2d(layer.in_channels, rank, *kept, bias=False)  # type: ignore[arg-type]
        out = nn.Conv2d(rank, layer.out_channels, 1, bias=bias)
    into.weight.copy_(first.reshape(into.weight.shape))  # type: ignore[operator]
    out.weight.copy_(last.reshape(out.weight.shape))  # type: ignore[operator]
    if layer.bias is not None:
        out.bias.copy_(layer.bias)  # type: ignore[operator]
    return nn.Sequential(into, out)
