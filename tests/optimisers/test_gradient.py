"""Two steps of each optimiser, worked out by hand from its paper."""

import math

import pytest
import torch

from sightline.core import catalog

RATE, DECAY, START, SLOPES = 0.1, 0.01, 2.0, (0.5, -0.25)


def _moved(name: str, decay: float = DECAY) -> list[float]:
    weight = torch.nn.Parameter(torch.tensor([START], dtype=torch.float64))
    optimiser = catalog.find("optimisers", name)([weight], RATE, decay)
    places = []
    for slope in SLOPES:
        weight.grad = torch.tensor([slope], dtype=torch.float64)
        optimiser.step()
        places.append(float(weight.detach()))
    return places


def _sgd() -> list[float]:
    w, places = START, []
    for slope in SLOPES:
        w -= RATE * (slope + DECAY * w)
        places.append(w)
    return places


def _momentum() -> list[float]:
    """Nesterov's look ahead with a memory of 0.9."""
    w, memory, places = START, 0.0, []
    for slope in SLOPES:
        slope += DECAY * w
        memory = 0.9 * memory + slope
        w -= RATE * (slope + 0.9 * memory)
        places.append(w)
    return places


def _adam(apart: bool) -> list[float]:
    """Kingma and Ba (2015), algorithm 1; `apart`: decay as in Loshchilov and Hutter (2019)."""
    w, first, second, places = START, 0.0, 0.0, []
    for time, slope in enumerate(SLOPES, 1):
        if apart:
            w -= RATE * DECAY * w
        else:
            slope += DECAY * w
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        w -= RATE * (first / (1 - 0.9**time)) / (math.sqrt(second / (1 - 0.999**time)) + 1e-8)
        places.append(w)
    return places


def _rmsprop() -> list[float]:
    """Tieleman and Hinton (2012), with the memory of 0.99 that torch takes."""
    w, second, places = START, 0.0, []
    for slope in SLOPES:
        slope += DECAY * w
        second = 0.99 * second + 0.01 * slope**2
        w -= RATE * slope / (math.sqrt(second) + 1e-8)
        places.append(w)
    return places


BY_HAND = {"sgd": _sgd, "momentum": _momentum, "adam": lambda: _adam(False), "adamw": lambda: _adam(True),
           "rmsprop": _rmsprop}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_two_steps_by_hand(name: str) -> None:
    assert _moved(name) == pytest.approx(BY_HAND[name](), abs=1e-12)
