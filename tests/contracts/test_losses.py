"""What every loss promises; a new one is found by itself, and its cases where its own test lies.

`tests/losses/test_<file>.py` holds CASES: the name of a loss -> how to draw for it, what is perfect, and an oracle.
"""

import importlib
from collections.abc import Mapping
from typing import Any

import pytest
import torch

from sightline.core import catalog
from tests.losses.cases import Case

NAMES = catalog.names("losses")


def _case(name: str) -> Case:
    module = catalog.find("losses", name).__module__
    lies = f"tests.losses.test_{module.rsplit('.', 1)[-1]}"
    try:
        cases: Mapping[str, Case] = importlib.import_module(lies).CASES
    except ModuleNotFoundError:
        cases = {}
    assert name in cases, f"add CASES['{name}'] = Case(draw, perfect, oracle) to {lies.replace('.', '/')}.py"
    return cases[name]


def _call(name: str, arguments: Mapping[str, Any]) -> torch.Tensor:
    answer = catalog.find("losses", name)(**arguments)
    return sum(answer.values()) if isinstance(answer, dict) else answer  # type: ignore[return-value]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("seed", range(3))
def test_it_equals_the_oracle(name: str, seed: int) -> None:
    case = _case(name)
    arguments = case.draw(torch.Generator().manual_seed(seed))
    plain = {key: value.numpy() if isinstance(value, torch.Tensor) else value for key, value in arguments.items()}
    wanted = case.oracle(**plain)
    assert float(_call(name, arguments)) == pytest.approx(wanted, rel=1e-5, abs=1e-6)


def test_nothing_is_better_than_perfect(name: str) -> None:
    """The value on a perfect answer is known, and whatever is stirred into that answer makes it worse."""
    case, chance = _case(name), torch.Generator().manual_seed(7)
    perfect, least = case.perfect(case.draw(chance))
    value = float(_call(name, perfect))
    assert value == pytest.approx(least, abs=1e-4)
    for size in (0.01, 0.1, 1.0):
        for learnt in case.learnt:
            noise = torch.randn(perfect[learnt].shape, generator=chance) * size * case.scale
            assert float(_call(name, {**perfect, learnt: perfect[learnt] + noise})) > value - 1e-7, (learnt, size)
    far = {key: perfect[key] + torch.randn(perfect[key].shape, generator=chance) * case.scale for key in case.learnt}
    assert float(_call(name, {**perfect, **far})) > value + 1e-3


def test_gradients_are_finite_and_reach_what_learns(name: str) -> None:
    case = _case(name)
    arguments = dict(case.draw(torch.Generator().manual_seed(11)))
    for learnt in case.learnt:
        arguments[learnt] = arguments[learnt].clone().requires_grad_()
    _call(name, arguments).backward()  # type: ignore[no-untyped-call]
    for learnt in case.learnt:
        grad = arguments[learnt].grad
        assert grad is not None
        assert bool(torch.isfinite(grad).all())
        assert bool(grad.any())


def test_gradients_point_downhill(name: str) -> None:
    """A small step against the gradient helps; where nothing is held fixed, a central difference says how much."""
    case, chance = _case(name), torch.Generator().manual_seed(13)
    arguments = {
        key: value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
        for key, value in case.draw(chance).items()
    }
    leaves = {key: arguments[key].clone().requires_grad_() for key in case.learnt}
    _call(name, {**arguments, **leaves}).backward()  # type: ignore[no-untyped-call]
    grads = {key: leaf.grad for key, leaf in leaves.items()}
    ways = {key: torch.randn(leaf.shape, generator=chance, dtype=torch.float64) for key, leaf in leaves.items()}

    def after(step: float, way: Mapping[str, Any]) -> float:
        return float(_call(name, {**arguments, **{key: arguments[key] + step * way[key] for key in way}}))

    assert after(-1e-3, grads) < after(0, grads)
    if not case.fixed_weights:
        slope = sum(float((grads[key] * ways[key]).sum()) for key in ways)  # type: ignore[operator]
        assert slope == pytest.approx((after(1e-6, ways) - after(-1e-6, ways)) / 2e-6, rel=1e-4, abs=1e-6)
