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


def _momentum(ahead: bool) -> list[float]:
    """A memory of 0.9, and Nesterov's look ahead."""
    w, memory, places = START, 0.0, []
    for slope in SLOPES:
        slope += DECAY * w
        memory = 0.9 * memory + slope
        w -= RATE * (slope + 0.9 * memory if ahead else memory)
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


def _adagrad() -> list[float]:
    """Duchi et al. (2011)."""
    w, second, places = START, 0.0, []
    for slope in SLOPES:
        slope += DECAY * w
        second += slope**2
        w -= RATE * slope / (math.sqrt(second) + 1e-10)
        places.append(w)
    return places


def _adadelta() -> list[float]:
    """Zeiler (2012), algorithm 1, with the memory of 0.9 that torch takes."""
    w, second, moved, places = START, 0.0, 0.0, []
    for slope in SLOPES:
        slope += DECAY * w
        second = 0.9 * second + 0.1 * slope**2
        move = math.sqrt(moved + 1e-6) / math.sqrt(second + 1e-6) * slope
        moved = 0.9 * moved + 0.1 * move**2
        w -= RATE * move
        places.append(w)
    return places


def _adamax() -> list[float]:
    """Kingma and Ba (2015), algorithm 2."""
    w, first, most, places = START, 0.0, 0.0, []
    for time, slope in enumerate(SLOPES, 1):
        slope += DECAY * w
        first, most = 0.9 * first + 0.1 * slope, max(0.999 * most, abs(slope) + 1e-8)
        w -= RATE / (1 - 0.9**time) * first / most
        places.append(w)
    return places


def _nadam() -> list[float]:
    """Dozat (2016), with the growing memory of his section 3 and decay apart."""
    w, first, second, product, places = START, 0.0, 0.0, 1.0, []
    for time, slope in enumerate(SLOPES, 1):
        w -= RATE * DECAY * w
        now, after = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * at)) for at in (time, time + 1))
        product *= now
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        ahead = (1 - now) * slope / (1 - product) + after * first / (1 - product * after)
        w -= RATE * ahead / (math.sqrt(second / (1 - 0.999**time)) + 1e-8)
        places.append(w)
    return places


BY_HAND = {
    "sgd": _sgd,
    "momentum": lambda: _momentum(False),
    "nesterov": lambda: _momentum(True),
    "adam": lambda: _adam(False),
    "adamw": lambda: _adam(True),
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
    "adamax": _adamax,
    "nadam": _nadam,
    "muon": lambda: _adam(True),  # of a weight that is no matrix
}


@pytest.mark.parametrize("name", catalog.names("optimisers"))
def test_two_steps_by_hand(name: str) -> None:
    # some keep a number in single precision
    assert _moved(name) == pytest.approx(BY_HAND[name](), abs=1e-7 if name in ("muon", "nadam") else 1e-12)
