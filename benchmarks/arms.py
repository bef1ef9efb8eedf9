"""Are arms sticky, in their shares, independent; how often are equals called different; how soon is a look sure?

    PYTHONPATH=src python benchmarks/arms.py [--trials 1000] [--requests 10000] [--only assign|equals|power]

"equals" draws A/A worlds, looks every 100 requests, and counts the trials in which any look found a difference: at most
5 % may. "power" counts requests until a look is sure, beside what a test needs that may be looked at once, at the end.
"""

from __future__ import annotations

import argparse
import math
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version

import numpy as np

from sightline.serving import arms
from sightline.serving.sequential import RATIO, Pair, Sums, compare, refutes

STEP = 100
World = Callable[[np.random.Generator, int, float], tuple[np.ndarray, np.ndarray, np.ndarray]]


def machine() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return (
        f"{platform.machine()}, {platform.system()}, python {platform.python_version()}, numpy {version('numpy')}, "
        f"commit {commit.stdout.strip()}"
    )


def assign(count: int = 100_000) -> None:
    """Sticky, shares within 3 sigma, two experiments independent, a growing share moves nobody else."""
    traffic = arms.split({"champion": 60, "challenger": 30, "7": 10})
    start = time.process_time()
    drawn = [arms.assign(traffic, f"caller {number}", "").arm for number in range(count)]
    each = (time.process_time() - start) / count * 1e6
    again = [arms.assign(traffic, f"caller {number}", "another picture").arm for number in range(count)]
    print(
        f"assign: {each:.1f} us CPU each; {sum(a == b for a, b in zip(drawn, again, strict=True)) / count:.2%} sticky"
    )
    for arm, share in traffic.shares.items():
        off = (drawn.count(arm) - share * count) / math.sqrt(count * share * (1 - share))
        print(f"  {arm}: {drawn.count(arm) / count:.4f} of {share:g}, {off:+.2f} sigma")
    other = arms.split({"champion": 60, "challenger": 30, "7": 10})
    both = sum(
        a == "champion" and arms.assign(other, f"caller {number}", "").arm == "champion"
        for number, a in enumerate(drawn)
    )
    print(f"  two experiments: champion in both {both / count:.4f} of 0.36, {(both - 0.36 * count) / 151.8:+.2f} sigma")
    small, large = (arms.Traffic("split", "a", {"a": 1 - s, "b": s}, id="grows") for s in (0.05, 0.25))
    moved = [
        (arms.assign(small, f"{number}", "").arm, arms.assign(large, f"{number}", "").arm) for number in range(count)
    ]
    print(f"  a share that grew: {sum(pair == ('b', 'a') for pair in moved)} left it, {moved.count(('a', 'b'))} came")


def alone(rate: float) -> World:
    def world(rng: np.random.Generator, total: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return 1.0 * (rng.random(total) < rate), rng.random(total) < share, np.arange(total)

    return world


def drifting(rng: np.random.Generator, total: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return 1.0 * (rng.random(total) < np.linspace(0.02, 0.4, total)), rng.random(total) < share, np.arange(total)


def callers(count: int) -> World:
    """Each with a rate and an arm of its own, a few of them with most of the requests."""

    def world(rng: np.random.Generator, total: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weights = 1 / np.arange(1, count + 1) ** 0.8
        who = rng.choice(count, total, p=weights / weights.sum())
        rates = rng.beta(0.5, 4.5, count)
        return 1.0 * (rng.random(total) < rates[who]), (rng.random(count) < share)[who], who

    return world


def seconds(rng: np.random.Generator, total: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    slow = 3 * (rng.random(total) < 0.02)  # now and then twenty times as long
    return rng.normal(0, 0.6, total) + slow, rng.random(total) < share, np.arange(total)


def seconds_of(count: int) -> World:
    def world(rng: np.random.Generator, total: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        who = rng.integers(0, count, total)
        return rng.normal(0, 0.5, count)[who] + rng.normal(0, 0.5, total), (rng.random(count) < share)[who], who

    return world


WORLDS: dict[str, World] = {
    "errors of 10 %": alone(0.1), "errors of 0.2 %": alone(0.002), "a rate from 2 to 40 %": drifting,
    "2,000 callers": callers(2000), "200 callers": callers(200), "60 callers": callers(60),
    "times": seconds, "times of 2,000 callers": seconds_of(2000), "times of 200 callers": seconds_of(200),
}  # fmt: skip


def looks(values: np.ndarray, tried: np.ndarray, subjects: np.ndarray) -> Iterator[Pair]:
    """What each look sees, from sums that grow."""
    most = int(subjects.max()) + 1
    sizes, sums = np.zeros((2, most)), np.zeros((2, most))
    for end in range(STEP, len(values) + 1, STEP):
        rows = slice(end - STEP, end)
        np.add.at(sizes, (tried[rows].astype(int), subjects[rows]), 1)
        np.add.at(sums, (tried[rows].astype(int), subjects[rows]), values[rows])
        first, second = (
            Sums(int((n > 0).sum()), *map(float, (n.sum(), s.sum(), s @ s, s @ n, n @ n)))
            for n, s in zip(sizes, sums, strict=True)
        )
        yield first, second


def equals(trials: int, total: int) -> None:
    print(f"\nequals called different at any of {total // STEP} looks, of {trials:,} trials (5 % may be)")
    for name, world in WORLDS.items():
        found = []
        for share in (0.5, 0.05):
            rng = np.random.default_rng(11)
            wrong = 0
            for _ in range(trials):
                seen = looks(*world(rng, total, share))
                if name.startswith("times"):
                    wrong += any(compare([pair], RATIO).differs for pair in seen)
                else:
                    wrong += any(refutes([pair]) for pair in seen)
            found.append(f"{wrong / trials:6.2%}")
        print(f"  {name:24} half and half {found[0]}   5 % challenger {found[1]}", flush=True)


def power(trials: int) -> None:
    print("\nrequests until a look is sure (half of the trials, four of five), beside one look at the end")
    for low, high, share in (
        (0.10, 0.12, 0.5), (0.10, 0.15, 0.5), (0.01, 0.02, 0.5), (0.01, 0.03, 0.05), (0.001, 0.5, 0.05),
        (0.001, 1.0, 0.05),
    ):  # fmt: skip
        stops = []
        for trial in range(trials):
            rng = np.random.default_rng(trial)
            tried = rng.random(200_000) < share
            hits = rng.random(200_000) < np.where(tried, high, low)
            told = [np.cumsum(side) for side in (~tried, ~tried & hits, tried, tried & hits)]
            ends = np.unique([*range(10, 1000, 10), *np.geomspace(1000, 200_000, 150).astype(int)]) - 1
            stops.append(next((end + 1 for end in ends if refutes([_pair(*(row[end] for row in told))])), 10**9))
        half, most = np.percentile(stops, [50, 80])
        variance = low * (1 - low) / (1 - share) + high * (1 - high) / share
        once = (1.96 + 0.84) ** 2 * variance / (high - low) ** 2
        print(
            f"  {low:.1%} against {high:.1%} at {share:.0%}: {half:,.0f}, {most:,.0f}; one look {once:,.0f}", flush=True
        )


def _pair(count: float, hits: float, tried: float, found: float) -> Pair:
    return tuple(  # type: ignore[return-value]
        Sums(int(n), float(n), float(s), float(s), float(s), float(n)) for n, s in ((count, hits), (tried, found))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--only", choices=("assign", "equals", "power"))
    given = parser.parse_args()
    print(machine())
    if given.only in (None, "assign"):
        assign()
    if given.only in (None, "equals"):
        equals(given.trials, given.requests)
    if given.only in (None, "power"):
        power(min(given.trials, 100))


if __name__ == "__main__":
    main()
