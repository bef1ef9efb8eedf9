"""Look at data before anything learns from it: what it is, what is wrong with it, and a page with pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a drawn world such as drawn:parts"],
    *,
    out: Annotated[Path | None, "where the page goes (usually audits/NAME.html)"] = None,
    quick: Annotated[bool, "decode about a thousand pictures, do not judge labels"] = False,
    fix: Annotated[Path | None, "write a cleaned view: NAME.jsonl refers to pictures, a folder holds them"] = None,
    no_report: Annotated[bool, "write no page"] = False,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
) -> dict[str, Any]:
    """The one-line summary, then the findings, the most harmful first."""
    import shlex

    from sightline.auditing.audit import audit
    from sightline.auditing.cleaning import write_cleaned
    from sightline.auditing.page import write_page
    from sightline.core.data import open_data
    from sightline.core.files import refuse_place
    from sightline.core.known import remember

    if out is not None:
        refuse_place(out)
    samples = remember(open_data(data, format=format))
    made = audit(samples, quick=quick, tell=screen.tell)
    screen.say(made.line)
    for number, finding in enumerate(made.findings, 1):
        screen.say(f"{number:2}. {finding.severity}: {finding.text}")
        if finding.do and finding.severity != "note":
            screen.say(f"    {finding.do}")
    if made.difficulty is not None:
        screen.say(made.difficulty.line)
    answer: dict[str, Any] = made.to_json()
    if not no_report:
        words = ["sightline", "audit", data, *(["--quick"] if quick else []), *(["--format", format] if format else [])]
        page = out or Path("audits") / f"{_plain(made.name)}.html"
        answer["page"] = write_page(page, made, samples, command=shlex.join(words))
        screen.say(f"page: {page}")
    if fix is not None:
        cleaned = write_cleaned(samples, made.findings, fix)
        screen.say(cleaned.line)
        answer["cleaned"] = cleaned.to_json()
    return answer


def _plain(name: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)
    return kept.strip(".-")[:80] or "data"
