"""How the arms of an experiment stand: what the log says of each, and which differences would survive any peeking."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sightline.serving.arms import Traffic
from sightline.serving.prediction import FALLBACK
from sightline.serving.sequential import LEVEL, MEAN, RATE, RATIO, Sums, Verdict, compare

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sightline.serving.predictions import Predictions

LESS, EITHER, MORE = -1, 0, 1  # what is better
_RIGHT = (
    "CASE WHEN l.correct IS NOT NULL AND p.shadow = 0 THEN l.correct "
    "WHEN l.name IS NOT NULL AND p.best IS NOT NULL THEN CASE WHEN l.name = p.best THEN 1 ELSE 0 END END"
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that arms are compared by."""

    kind: str
    better: int
    what: str
    column: str  # in SQL; null where a row says nothing of it


_FAILED = f"CASE WHEN p.status >= 500 OR p.error = '{FALLBACK}' THEN 1 ELSE 0 END"
_SECONDS = "CASE WHEN p.status = 200 AND p.kept = 0 AND p.seconds > 0 THEN ln(p.seconds) END"
MEASURES = {
    "errors": Measure(RATE, LESS, "requests that it failed", _FAILED),
    "right": Measure(RATE, MORE, "answers that agree with labels", _RIGHT),
    "unsure": Measure(RATE, LESS, 'answers of "I don\'t know"', "p.unsure"),
    "seconds": Measure(RATIO, LESS, "time to answer", _SECONDS),
    "confidence": Measure(MEAN, EITHER, "score of the first name", "p.score"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One challenger beside the control."""

    arm: str
    control: str
    counts: tuple[int, int]  # requests of the control and of this arm
    recent: int  # requests of this arm since the shares last changed
    failed: int = 0  # of this arm
    subjects: int = 0  # callers or pictures of both
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)  # by measure
    same: tuple[int, int] | None = None  # of a shadow: how many of how many answers were those of the control

    def says(self, measure: str) -> str:
        """What may be said of a measure: better, worse, other, or nothing yet."""
        found = self.verdicts[measure]
        if not found.differs:
            return "no difference shown"
        side = MEASURES[measure].better * (1 if found.difference > found.even else -1)
        return {LESS: "worse", EITHER: "other", MORE: "better"}[side]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        rows = {name: {**asdict(found), "says": self.says(name)} for name, found in self.verdicts.items()}
        return {**asdict(self), "verdicts": rows}


def standings(
    log: Predictions, model: str, traffic: Traffic, numbers: Mapping[str, int] | None = None, *, level: float = LEVEL
) -> list[Standing]:
    """Every challenger beside the control, with all measures together wrong no more often than the level allows.

    `numbers` says which version each arm is now: what it was before is not counted.
    """
    sums = _sums(log, model, traffic, numbers or {})
    experiments = _experiments(traffic)
    risk = (1 - level) / (len(MEASURES) * max(len(traffic.challengers), 1))
    found = []
    for arm in traffic.challengers:
        pairs = [(sums.get((traffic.control, one), {}), sums.get((arm, one), {})) for one in experiments]
        verdicts = {}
        for name, measure in MEASURES.items():
            strata = [(first.get(name, Sums()), second.get(name, Sums())) for first, second in pairs]
            verdicts[name] = compare(strata, measure.kind, level=1 - risk)
        asked = [[int(side.get("errors", Sums()).count) for side in pair] for pair in pairs]
        counts = (sum(pair[0] for pair in asked), sum(pair[1] for pair in asked))
        sides = [side.get("errors", Sums()) for pair in pairs for side in pair]
        failed, subjects = int(sum(one.total for one in sides[1::2])), sum(one.subjects for one in sides)
        same = _same(log, model, arm, experiments) if arm in traffic.shadows else None
        found.append(Standing(arm, traffic.control, counts, asked[-1][1], failed, subjects, verdicts, same))
    return found


def _experiments(traffic: Traffic) -> list[str]:
    """As rows name them: one for each step so far."""
    return [f"{traffic.id}.{step}" for step in range((traffic.rise.step if traffic.rise else 0) + 1)]


def _sums(
    log: Predictions, model: str, traffic: Traffic, numbers: Mapping[str, int]
) -> dict[tuple[str, str], dict[str, Sums]]:
    """By arm and stratum, for each measure: sums over subjects, so that little travels however long the log is."""
    import sqlalchemy

    subject = "CASE WHEN p.caller <> '' THEN p.caller ELSE p.digest END" if traffic.by == "caller" else "p.digest"
    subject = f"CASE WHEN {subject} <> '' THEN {subject} ELSE p.request END"
    inner = ", ".join(
        f"count({measure.column}) AS {name}_n, coalesce(sum({measure.column}), 0) AS {name}_s"
        for name, measure in MEASURES.items()
    )
    outer = ", ".join(
        f"sum(CASE WHEN {name}_n > 0 THEN 1 ELSE 0 END), sum({name}_n), sum({name}_s), sum({name}_s * {name}_s), "
        f"sum({name}_s * {name}_n), sum({name}_n * {name}_n)"
        for name in MEASURES
    )
    now = " OR ".join(f"p.arm = :arm{place} AND p.number <> :number{place}" for place in range(len(numbers)))
    only = f"AND (p.error <> '' OR NOT ({now}))" if now else ""
    text = (
        f"SELECT arm, experiment, {outer} FROM (SELECT p.arm, p.experiment, {subject} AS subject, {inner} "  # noqa: S608
        "FROM predictions p LEFT JOIN prediction_labels l ON l.request = p.request "
        f"WHERE p.model = :model AND p.experiment IN :experiments {only} "
        "GROUP BY p.arm, p.experiment, subject) s GROUP BY arm, experiment"
    )
    values: dict[str, Any] = {"model": model, "experiments": _experiments(traffic)}
    for place, (arm, number) in enumerate(numbers.items()):
        values |= {f"arm{place}": arm, f"number{place}": number}
    with log.database.read() as connection:
        _logarithm(connection)
        asked = sqlalchemy.text(text).bindparams(sqlalchemy.bindparam("experiments", expanding=True))
        rows = connection.execute(asked, values).all()
    found = {}
    for arm, experiment, *told in rows:
        six = [tuple(map(float, told[place : place + 6])) for place in range(0, len(told), 6)]
        found[arm, experiment] = {name: Sums(int(each[0]), *each[1:]) for name, each in zip(MEASURES, six, strict=True)}
    return found


def _logarithm(connection: Connection) -> None:
    """Some builds of SQLite know none."""
    driver: Any = connection.connection.driver_connection
    if (
        connection.dialect.name == "sqlite"
        and ("ENABLE_MATH_FUNCTIONS",) not in driver.execute("PRAGMA compile_options").fetchall()
    ):
        driver.create_function("ln", 1, math.log, deterministic=True)


def _same(log: Predictions, model: str, arm: str, experiments: list[str]) -> tuple[int, int]:
    import sqlalchemy

    text = (
        "SELECT count(*), coalesce(sum(CASE WHEN s.best = c.best THEN 1 ELSE 0 END), 0) FROM predictions s "
        "JOIN predictions c ON c.request = s.request AND c.shadow = 0 AND c.model = s.model "
        "WHERE s.shadow = 1 AND s.model = :model AND s.arm = :arm AND s.experiment IN :experiments "
        "AND s.best IS NOT NULL AND c.best IS NOT NULL"
    )
    asked = sqlalchemy.text(text).bindparams(sqlalchemy.bindparam("experiments", expanding=True))
    with log.database.read() as connection:
        row = connection.execute(asked, {"model": model, "arm": arm, "experiments": experiments}).one()
    return int(row[1]), int(row[0])
