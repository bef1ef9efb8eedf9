"""How big a network is and how much it computes, counted on a real pass."""

from __future__ import annotations

from typing import Any

from sightline.core.extras import need


def count_parameters(network: Any) -> int:
    """Numbers that learn."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_multiplications(network: Any, *inputs: Any) -> int:
    """Multiply-accumulate operations of one pass: every convolution and matrix product, whoever calls it."""
    torch = need("torch")
    counter, joined = _counter(), torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # a whole layer in one operation, of which nothing can be seen
    try:
        with torch.no_grad(), counter:
            network(*inputs)
    finally:
        torch.backends.mha.set_fastpath_enabled(joined)
    return int(counter.operations) // 2  # a product and a sum each


def _counter() -> Any:
    """A mode that adds up, by torch's own formulas, what each operation under it costs.

    torch's own counter does the same, and imports the compiler, which takes longer than most passes that are counted;
    and it has no formula for a recurrent layer.
    """
    torch = need("torch")
    usual: Any = need("torch.utils._python_dispatch").TorchDispatchMode
    formulas = {**need("torch.utils.flop_counter").flop_registry, torch.ops.aten.mkldnn_rnn_layer: _recurrent}

    class Counter(usual):  # type: ignore[misc]
        operations = 0

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False

        def __torch_dispatch__(self, made: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            given, formula = kwargs or {}, formulas.get(made.overloadpacket)
            if formula is None:
                with self:
                    parts = made.decompose(*args, **given)
                if parts is not NotImplemented:
                    return parts
            found = made(*args, **given)
            self.operations += formula(*args, **given, out_val=found) if formula else 0
            return found

    return Counter()


def _recurrent(steps: Any, entering: Any, kept: Any, *_: Any, **__: Any) -> int:
    """Both matrices of a layer, for each step of each row."""
    return int(2 * steps.shape[0] * steps.shape[1] * (entering.numel() + kept.numel()))
