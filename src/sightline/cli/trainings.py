"""What services were asked to learn: list, show ID, cancel ID, resume ID, run [ID].

run trains until the queue is empty, on any machine that shares the registry and its folder. Interrupt or kill it: the
same command goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._command import UsageError
from sightline.cli._display import Screen
from sightline.cli._lines import columns
from sightline.cli._versions import WHERE
from sightline.core.errors import UnknownNameError, nearest

if TYPE_CHECKING:
    from sightline.registering.registry import Registry
    from sightline.serving.training import Training
    from sightline.serving.trainings import Trainings


@dataclass(frozen=True)
class _Asked:
    """What an action is done with."""

    screen: Screen
    trainings: Trainings
    words: list[str]
    source: Registry
    registry: str | None


def run(
    screen: Screen,
    what: Annotated[str, "list, show, cancel, resume or run"],
    words: Annotated[tuple[str, ...], "the training"] = (),
    *,
    registry: Annotated[str | None, WHERE] = None,
) -> dict[str, Any]:
    """The training, or all of them."""
    from sightline.registering.registry import open_registry
    from sightline.serving.places import TRAININGS, beside, folder
    from sightline.serving.trainings import open_trainings

    if what not in _ACTIONS:
        known = ", ".join(_ACTIONS)
        raise UnknownNameError(f"trainings have no '{what}'.{nearest(what, _ACTIONS)} They have: {known}.")
    action, fewest, most = _ACTIONS[what]
    if not fewest <= len(words) <= most:
        raise UsageError(f"write: sightline trainings {what} {'ID' if fewest else '[ID]' if most else ''}".rstrip())
    with (
        open_registry(registry, create=False) as source,
        open_trainings(beside(registry, f"{TRAININGS}.db"), folder(registry, TRAININGS)) as trainings,
    ):
        return action(_Asked(screen, trainings, list(words), source, registry))


def _list(asked: _Asked) -> dict[str, Any]:
    found = asked.trainings.every()
    rows = [("training", "model", "data set", "pictures", "state")]
    rows += [(one.id, one.model, one.dataset, f"{one.pictures:,}", one.line) for one in found]
    for line in columns(rows) if found else ["nothing was asked for. A service takes trainings with: serve --train"]:
        asked.screen.say(line)
    return {"trainings": [one.to_json() for one in found]}


def _show(asked: _Asked) -> dict[str, Any]:
    return _told(asked.screen, asked.trainings.status(asked.words[0]))


def _cancel(asked: _Asked) -> dict[str, Any]:
    return _told(asked.screen, asked.trainings.cancel(asked.words[0]))


def _resume(asked: _Asked) -> dict[str, Any]:
    return _told(asked.screen, asked.trainings.resume(asked.words[0]))


def _run(asked: _Asked) -> dict[str, Any]:
    from sightline.serving.examples import open_examples
    from sightline.serving.places import EXAMPLES, beside, folder
    from sightline.serving.pupil import work

    only = asked.words[0] if asked.words else None
    if only is not None:
        asked.trainings.status(only)
    place = beside(asked.registry, f"{EXAMPLES}.db")
    with open_examples(place, folder(asked.registry, EXAMPLES)) as examples:
        count = work(asked.trainings, examples, asked.source, only=only, tell=asked.screen.tell)
    if only is not None:
        return _told(asked.screen, asked.trainings.status(only))
    asked.screen.say(f"{count:,} trainings worked on; the queue is empty")
    return {"count": count}


def _told(screen: Screen, training: Training) -> dict[str, Any]:
    screen.say(f"{training.id} {training.line}")
    if training.state == "done":
        screen.say(f"report: {training.folder / 'run' / 'report.html'}")
    return {"training": training.to_json()}


_ACTIONS: dict[str, tuple[Callable[[_Asked], dict[str, Any]], int, int]] = {
    "list": (_list, 0, 0),
    "show": (_show, 1, 1),
    "cancel": (_cancel, 1, 1),
    "resume": (_resume, 1, 1),
    "run": (_run, 0, 1),
}
