"""Apply steps in a row to pictures: filters, finders and models, such as "gaussian sigma=2 | otsu".

With --out every picture is written and noted in manifest.jsonl; the same command continues what was stopped or killed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import answer_line, columns
from sightline.core.errors import SettingsError

if TYPE_CHECKING:
    from sightline.applying.chain import Chain
    from sightline.core.dataset import Dataset

_PAGES = (".html", ".htm")


def run(
    screen: Screen,
    what: Annotated[tuple[str, ...], "the chain, unless --chain names its file; then a folder, data, or pictures"],
    *,
    out: Annotated[Path | None, "folder for the pictures; or with --show, the page"] = None,
    chain: Annotated[Path | None, 'a TOML file with steps = ["gaussian sigma=2", "otsu"]'] = None,
    show: Annotated[str | None, "stages: a page with the pictures after each step"] = None,
    count: Annotated[int, "pictures on that page"] = 1,
    suffix: Annotated[str | None, "what names of pictures end with, such as .tiff; .png holds every bit"] = None,
    workers: Annotated[int | None, "pictures at a time; as many as there are cores without it"] = None,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
    fresh: Annotated[bool, "take away what an earlier chain made in the folder, and begin anew"] = False,
) -> dict[str, Any]:
    """What was made and where the time went; status 2 where some picture failed."""
    from sightline.applying.chain import Chain
    from sightline.applying.ledger import PAGE

    if show not in (None, "stages"):
        raise SettingsError(f"--show {show}: there is one thing to show, stages.")
    words = list(what)
    if chain is None and len(words) < 2:
        raise SettingsError('name the steps, then the pictures: sightline apply "gaussian sigma=2" photos/ --out new/')
    ready = Chain.load(chain) if chain is not None else Chain.parse(words.pop(0))
    if not words:
        raise SettingsError("name the pictures: a folder, data such as drawn:parts, or files.")
    data = _opened(words, format)
    document: dict[str, Any] = {"chain": str(ready)}
    alone = out is None or out.suffix in _PAGES
    if out is not None and not (show and alone):
        document |= _applied(screen, ready, data, out, suffix, workers, fresh)
    elif not show:
        document |= _answered(screen, ready, data)
    if show:
        document["page"] = out if out is not None and alone else (out or Path()) / PAGE
        _explained(screen, ready, data, count, document["page"])
    return document


def _opened(words: list[str], format: str | None) -> Dataset:
    from sightline.core.data import open_data

    return open_data(words[0] if len(words) == 1 else words, format=format)


def _explained(screen: Screen, chain: Chain, data: Dataset, count: int, path: Path) -> None:
    """The page of stages."""
    from sightline.applying.stages import stages_page
    from sightline.core.files import write_durably

    if count < 1:
        raise SettingsError(f"--count {count}: ask for 1 picture or more.")
    write_durably(path, stages_page(chain, data[:count]).encode())
    screen.say(f"page: {path}")


def _applied(
    screen: Screen, chain: Chain, data: Dataset, out: Path, suffix: str | None, workers: int | None, fresh: bool
) -> dict[str, Any]:
    """Pictures into a folder."""
    from sightline.applying.folder import apply_all

    made = apply_all(chain, data, out, suffix=suffix, workers=workers, fresh=fresh, tell=screen.tell)
    kept = f", {made.kept:,} of them done before" if made.kept else ""
    failed = f"; {len(made.failed):,} failed" if made.failed else ""
    screen.say(f"{made.count:,} pictures in {out}{kept}{failed}")
    if made.labels:
        screen.say(made.labels)
    _timed(screen, made.stages)
    screen.status = 2 if made.failed else 0
    return made.to_json()


def _timed(screen: Screen, stages: Iterable[Any]) -> None:
    rows = [(f"  {row['step']}", f"{row['seconds']:.3g} s", f"{1000 * row['each']:.3g} ms each") for row in stages]
    for line in columns(rows):
        screen.say(line)


def _answered(screen: Screen, chain: Chain, data: Dataset) -> dict[str, Any]:
    """What is found in each picture, without writing any."""
    from sightline.core.annotations import Picture, to_json
    from sightline.core.errors import InputError
    from sightline.core.progress import Event

    if chain.kind is None and all(step.gives is not None for step in chain.steps):
        raise SettingsError("this chain makes pictures: name a folder for them with --out, or --show stages.")
    rows: list[dict[str, Any]] = []
    spent = [0.0] * len(chain.steps)
    for sample in data:
        try:
            outcome = chain(sample)
        except InputError as error:
            screen.tell(Event("skip", f"error[{error.code}]: {sample.id}: {error.message}", {"id": sample.id}))
            rows.append({"id": sample.id, "error": {"code": error.code, "message": error.message}})
            screen.status = 2
            continue
        spent = [one + other for one, other in zip(spent, outcome.seconds, strict=True)]
        screen.say(f"{sample.id}: {answer_line(outcome.answer)}")
        if screen.json:
            answer = {} if isinstance(outcome.answer, Picture) else {"answer": to_json(outcome.answer)}
            rows.append({"id": sample.id, **answer, "seconds": list(outcome.seconds)})
    stages = [{"step": step.text, "seconds": total} for step, total in zip(chain.steps, spent, strict=True)]
    return {"answers": rows, "stages": stages}
