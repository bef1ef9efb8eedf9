"""The queue of trainings: asked for by callers of a service, worked on beside it, one after another and turn by turn.

Whoever trains holds the training for a while and says so again and again; when that ends, another goes on where the
first one was.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sightline.core.database import Database, open_database
from sightline.core.errors import ServingError
from sightline.registering import rows
from sightline.serving.job import ask, insert
from sightline.serving.leases import alive, oneself
from sightline.serving.training import CANCELLED, FAILED, QUEUED, RUNNING, SCHEMA, Training, Wish

LEASE = 60.0  # seconds that a training belongs to who works on it; renewed while that goes on
ATTEMPTS = 3  # times that a training may take its process with it
WAITING = 20  # trainings that one caller may have in the queue
_MINE = "WHERE id = :id AND owner = :owner AND state = 'running'"


class Trainings:
    """The queue, and the folder in which each training has its own."""

    def __init__(self, database: Database, folder: str | Path) -> None:
        self.database, self.folder = database, Path(folder).absolute()
        self.owner = oneself()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.database.close()

    def submit(self, model: str, dataset: str, who: str, wish: Wish | None = None, *, pictures: int = 0) -> Training:
        """Queue a training of a data set into the next version of a model."""
        rows.check_name(model)
        wish = wish or Wish()
        if wish.alias is not None:
            rows.check_alias(wish.alias)
        identity = f"{time.strftime('%Y%m%d')}-{secrets.token_hex(4)}"
        row = {
            "id": identity, "model": model, "dataset": dataset, "who": who, "state": QUEUED, "note": "", "why": "",
            "wish": json.dumps(asdict(wish)), "figures": "[]", "owner": "", "pictures": pictures, "number": 0,
            "attempt": 0, "created": time.time(), "begun": 0.0, "ended": 0.0, "until": 0.0,
        }  # fmt: skip
        waiting = "SELECT count(*) FROM trainings WHERE who = :who AND state = 'queued'"
        with self.database.write() as connection:
            if ask(connection, waiting, who=who).scalar_one() >= WAITING:
                raise ServingError("queue_full", f"{WAITING} trainings of yours wait already.", retry_after=60.0)
            insert(connection, "trainings", [row])
        return self.status(identity)

    def status(self, identity: str) -> Training:
        """One training as it is now."""
        found = self._read("WHERE id = :id", id=identity)
        if not found:
            raise ServingError(
                "not_found", f"there is no training '{identity[:60]}'. See: sightline trainings list"
            )  # fmt: skip
        return found[0]

    def every(self, *, most: int = 100) -> list[Training]:
        """The trainings, newest first."""
        return self._read("ORDER BY created DESC LIMIT :most", most=most)

    def waiting(self) -> bool:
        """Whether there is work, in nobody's hands or in those of one who is gone."""
        text = "SELECT state, owner, until FROM trainings WHERE state IN ('queued', 'running')"
        with self.database.read() as connection:
            return any(_free(row) for row in ask(connection, text).all())

    def of_dataset(self, name: str) -> bool:
        """Whether a training that is not done needs this data set."""
        text = "SELECT 1 AS found FROM trainings WHERE dataset = :name AND state IN ('queued', 'running') LIMIT 1"
        with self.database.read() as connection:
            return ask(connection, text, name=name).first() is not None

    def cancel(self, identity: str) -> Training:
        """End a training; whoever works on it notices soon."""
        return self._turn(identity, (QUEUED, RUNNING), CANCELLED)

    def resume(self, identity: str) -> Training:
        """Go on with a training that was cancelled or that failed, where it was."""
        return self._turn(identity, (CANCELLED, FAILED), QUEUED)

    # ------------------------------------------------------------------------------------------------- who works

    def take(self, only: str | None = None) -> Training | None:
        """The next training to work on: of whoever has waited longest for a turn, the one asked for first."""
        text = (
            "SELECT t.id, t.attempt, t.owner, t.until, t.state FROM trainings t "  # noqa: S608
            f"WHERE t.state IN ('queued', 'running') {'AND t.id = :only' if only else ''} ORDER BY t.state DESC, "
            "coalesce((SELECT max(o.begun) FROM trainings o WHERE o.who = t.who), 0), t.created, t.id"
        )
        with self.database.write() as connection:
            now = time.time()
            for row in ask(connection, text, **({"only": only} if only else {})).all():
                if not _free(row):
                    continue
                if row.attempt >= ATTEMPTS:
                    why = f"the process that trained died of it {ATTEMPTS} times"
                    ended = "UPDATE trainings SET state = 'failed', why = :why, ended = :now, owner = '' WHERE id = :id"
                    ask(connection, ended, why=why, now=now, id=row.id)
                    continue
                taken = (
                    "UPDATE trainings SET state = 'running', owner = :owner, until = :until, attempt = attempt + 1, "
                    "begun = CASE WHEN begun > 0 THEN begun ELSE :now END WHERE id = :id"
                )
                ask(connection, taken, owner=self.owner, until=now + LEASE, now=now, id=row.id)
                break
            else:
                return None
        return self.status(row.id)

    def renew(self, identity: str, note: str = "", pictures: int = 0) -> bool:
        """Say that one still works on it, and at what; False where it is another's now, or cancelled."""
        more = ", note = :note" if note else ""
        more += ", pictures = :pictures" if pictures else ""
        given = {key: value for key, value in {"note": note, "pictures": pictures}.items() if value}
        return self._mine(f"UPDATE trainings SET until = :until{more}", identity, until=time.time() + LEASE, **given)  # noqa: S608

    def release(self, identity: str, *, counted: bool = False) -> bool:
        """Give it back unfinished; it was no attempt, unless it failed of itself."""
        text = f"UPDATE trainings SET state = 'queued', owner = '', attempt = attempt - {0 if counted else 1}"  # noqa: S608
        return self._mine(text, identity)

    def finish(self, identity: str, number: int, figures: list[dict[str, Any]]) -> bool:
        """It is done: this version came of it."""
        text = "UPDATE trainings SET state = 'done', number = :number, figures = :figures, ended = :now, owner = ''"
        return self._mine(text, identity, number=number, figures=json.dumps(figures), now=time.time())

    def fail(self, identity: str, why: str) -> bool:
        """It cannot be done, for a reason that who asked can mend."""
        return self._mine(
            "UPDATE trainings SET state = 'failed', why = :why, ended = :now, owner = ''", identity, why=why,
            now=time.time(),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------- within

    def _mine(self, text: str, identity: str, **values: Any) -> bool:
        with self.database.write() as connection:
            return bool(ask(connection, f"{text} {_MINE}", id=identity, owner=self.owner, **values).rowcount)

    def _turn(self, identity: str, before: tuple[str, ...], after: str) -> Training:
        """From one state to another, or a refusal that says in which it is."""
        with self.database.write() as connection:
            states = " OR ".join(f"state = '{state}'" for state in before)
            text = (
                "UPDATE trainings SET state = :after, ended = :ended, why = '', attempt = 0 "  # noqa: S608
                f"WHERE id = :id AND ({states})"
            )
            ended = 0.0 if after == QUEUED else time.time()
            turned = ask(connection, text, after=after, ended=ended, id=identity).rowcount
        training = self.status(identity)
        if not turned and training.state != after:
            raise ServingError("conflict", f"training {identity} is {training.state}, so it cannot be {after}.")
        return training

    def _read(self, rest: str, **values: Any) -> list[Training]:
        columns = "id, model, dataset, who, state, wish, note, pictures, created, begun, ended, why, number, figures"
        with self.database.read() as connection:
            found = ask(connection, f"SELECT {columns} FROM trainings {rest}", **values).mappings().all()  # noqa: S608
        return [self._training(row) for row in found]

    def _training(self, row: Mapping[Any, Any]) -> Training:
        given = dict(row)
        wish, figures = Wish(**json.loads(given.pop("wish"))), json.loads(given.pop("figures"))
        return Training(**given, folder=self.folder / given["id"], wish=wish, figures=figures)


def _free(row: Any) -> bool:
    """Whether a training that is not done is in nobody's hands."""
    return row.state == QUEUED or row.until < time.time() or not alive(row.owner)


def open_trainings(place: str | Path, folder: str | Path) -> Trainings:
    """The queue in a file or in PostgreSQL by its URL, and the folder where the trainings are."""
    return Trainings(open_database(place, SCHEMA), folder)
