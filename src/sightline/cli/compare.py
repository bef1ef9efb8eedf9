"""Compare runs, rules, or people who labelled the same pictures, on what was held out: which is better."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

from sightline.cli._command import UsageError
from sightline.cli._display import Screen
from sightline.cli._lines import columns, number
from sightline.core.run import Run, open_run
from sightline.core.settings import differences
from sightline.core.tally import between


def run(
    screen: Screen,
    what: Annotated[
        tuple[str, ...], "two runs or more, by path or name; a data set with a person's labels or a chain counts too"
    ],
    *,
    data: Annotated[str | None, "the data, where the runs cannot find it by themselves"] = None,
    folder: Annotated[Path, "where the runs are"] = Path("runs"),
) -> dict[str, Any]:
    """Metrics side by side, and for each pair a verdict only where a paired interval leaves zero out."""
    from sightline.evaluating.rivals import is_chain, is_data, named, rivals

    if len(what) < 2:
        raise UsageError(f"two things or more can be compared, not {len(what)}. Write: sightline compare A B")
    rated = [one if is_chain(one) or is_data(one, folder) else open_run(one, folder) for one in what]
    called = named(rated)
    first_run = next((one for one in rated if isinstance(one, Run)), None)
    document: dict[str, Any] = {"compared": called, "pairs": []}
    for (one, mine), (other, theirs) in combinations(zip(called, rated, strict=True), 2):
        apart = _apart(mine, theirs)
        found = rivals(mine, theirs, data=data, split_by=first_run)
        screen.say(f"{one} against {other}" + (f", settings that differ: {'; '.join(apart)}" if apart else ""))
        rows = []
        for name, compared in found.items():
            winner = {"first": one, "second": other}.get(compared.difference.verdict)
            verdict = f"{winner} is better" if winner else "cannot tell"
            reach = compared.difference
            rows.append(
                (
                    f"  {name}",
                    number(compared.first),
                    number(compared.second),
                    f"{number(reach.difference)} ({between(reach.low, reach.high)}), n={reach.count}",
                    verdict,
                )
            )
        for text in columns([("  metric", one[:24], other[:24], "difference", "verdict"), *rows]):
            screen.say(text)
        metrics = {name: compared.to_json() for name, compared in found.items()}
        document["pairs"].append({"first": one, "second": other, "settings": apart, "metrics": metrics})
    return document


def _apart(first: Any, second: Any) -> list[str]:
    if not (isinstance(first, Run) and isinstance(second, Run)):
        return []
    return differences(_flat(first.info), _flat(second.info))


def _flat(info: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: info[key] for key in ("task", "model", "split", "phases")} | {"data": info["data"]["name"]}
    plain |= {f"train.{name}": value for name, value in info["settings"].items()}
    return plain | {f"task.{name}": value for name, value in info["options"].items()}
