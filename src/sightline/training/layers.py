"""The layers of a network by what training wants of them: which answer, which stay as they are, how deep each lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import nn

from sightline.core.errors import SettingsError, nearest


def answering(network: nn.Module) -> frozenset[str]:
    """The parameters of what answers: the head, or the last layer of a network that has none of its own."""
    head = getattr(network, "head", None)
    if isinstance(head, nn.Module) and any(True for _ in head.parameters()):
        return frozenset(f"head.{name}" for name, _ in head.named_parameters())
    last = ""
    for name, parameter in network.named_parameters():
        if parameter.ndim >= 2:
            last = name.rpartition(".")[0]
    module = network.get_submodule(last)
    return frozenset(".".join(filter(None, (last, name))) for name, _ in module.named_parameters(recurse=False))


def frozen(network: nn.Module, wanted: str) -> frozenset[str]:
    """The parameters that do not learn: of `backbone`, all but what answers, or of submodules named with commas."""
    named = [name for name, _ in network.named_parameters()]
    kept: set[str] = set()
    for part in filter(None, (word.strip() for word in wanted.split(","))):
        found = _backbone(network) if part == "backbone" else {n for n in named if f"{n}.".startswith(f"{part}.")}
        if not found:
            known = [name for name, module in network.named_modules() if name and name.count(".") < 3]
            raise SettingsError(
                f"train.freeze = '{wanted}': the network has no part '{part}' that learns.{nearest(part, known)} "
                f"Write backbone, or names such as {', '.join(known[:6])}."
            )
        kept |= found
    if kept and kept >= set(named):
        raise SettingsError(f"train.freeze = '{wanted}': that is all there is, and nothing would learn.")
    return frozenset(kept)


def _backbone(network: nn.Module) -> set[str]:
    named = {name for name, _ in network.named_parameters()}
    model = {name for name in named if name.startswith("model.")}
    return model if model and model < named else named - answering(network)


def still(network: nn.Module, names: frozenset[str]) -> list[nn.Module]:
    """The outermost modules that hold nothing but frozen parameters: their statistics and chance rest as well."""
    if not names:
        return []

    def outermost(module: nn.Module, prefix: str) -> Iterator[nn.Module]:
        held = [f"{prefix}{name}" for name, _ in module.named_parameters()]
        if held and names.issuperset(held):
            yield module
            return
        for name, child in module.named_children():
            yield from outermost(child, f"{prefix}{name}.")

    return list(outermost(network, ""))


def depths(network: nn.Module) -> dict[str, int]:
    """How many layers lie behind each parameter, 0 for what answers; a layer is a block as the network is built."""
    last = answering(network)
    most = 0.9 * count_parameters([network])
    units = [[name for name in unit if name not in last] for unit in _units("", network, most)]
    found = dict.fromkeys(last, 0)
    for place, unit in enumerate(reversed([unit for unit in units if unit]), 1):
        found |= dict.fromkeys(unit, place)
    return found


def _units(prefix: str, module: nn.Module, most: float) -> Iterator[list[str]]:
    """Rows of blocks, and what holds nearly all numbers, are opened; a block stays whole, as a convolution its norm."""
    children = [(name, child) for name, child in module.named_children() if count_parameters([child])]
    blocks = any(count_parameters(list(child.children())) for _, child in children)
    if not blocks or (count_parameters([module]) < most and not isinstance(module, nn.Sequential | nn.ModuleList)):
        yield [f"{prefix}{name}" for name, _ in module.named_parameters()]
        return
    yield [f"{prefix}{name}" for name, _ in module.named_parameters(recurse=False)]
    for name, child in children:
        yield from _units(f"{prefix}{name}.", child, most)


def count_parameters(modules: Sequence[nn.Module]) -> int:
    """Numbers that learn."""
    return sum(p.numel() for module in modules for p in module.parameters())
