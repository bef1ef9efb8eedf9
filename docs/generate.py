"""Write docs/commands.md from the commands themselves; a test fails where the page is not what this writes."""

import inspect
from pathlib import Path

from sightline.cli._command import Word, words_of
from sightline.core import catalog

PAGE = Path(__file__).parent / "commands.md"

TOP = """# Commands

This page is made from the commands by `python docs/generate.py`; do not edit it by hand.

Results go to standard output, progress to standard error. With `--json` the result is one JSON document with
`"schema": 1`, and progress is one JSON object a line; with `--quiet` there is no progress. Progress is a bar on a
terminal and plain lines elsewhere.

A command that was stopped with Ctrl-C or killed is continued by the same command.

## Exit status

| status | meaning |
|---|---|
| 0 | done |
| 1 | a bug of ours: a traceback is shown |
| 2 | an error that you can fix: one line `error[code]: message` on standard error, or with `--json` the document \
`{"schema": 1, "error": {"code": …, "message": …}}`; also when `predict` could not read some of the pictures |
| 3 | `convert` wrote the data, and lists what the other layout could not hold; \
or no form of `compress` surely lost little enough |
| 130, 143 | stopped by Ctrl-C or by a request to end; training has saved where it was |
| 141 | whoever read the output went away |

[errors.md](errors.md) explains each code. A command line that does not parse has the code `usage`, a training that was
asked to stop has the code `interrupted`.

Settings come from three places; what stands closer to the command wins: a TOML file (`--settings`), words
(`--set train.rate=0.001`), and flags such as `--epochs`.
"""


def page() -> str:
    """The whole page."""
    parts = [TOP]
    for name in catalog.names("cli"):
        module = catalog.find("cli", name)
        words = words_of(module.run)
        shape = " ".join(_shape(word) for word in words if not word.option)
        parts.append(f"## sightline {name.replace('_', '-')}\n")
        parts.append(f"    sightline {name.replace('_', '-')} {shape}".rstrip() + "\n")
        parts.append(inspect.cleandoc(module.__doc__ or "") + "\n")
        rows = [
            f"| `{word.spelt}` | {_default(word)} | {word.help} |"
            for word in words
            if word.name not in ("json", "quiet")
        ]
        parts.append("\n".join(["| word | default | meaning |", "|---|---|---|", *rows]) + "\n" if rows else "")
    return "\n".join(part for part in parts if part)


def _shape(word: Word) -> str:
    shown = f"{word.spelt} …" if word.several else word.spelt
    return shown if word.default is inspect.Parameter.empty else f"[{shown}]"


def _default(word: Word) -> str:
    if word.default is inspect.Parameter.empty:
        return "required"
    return "" if word.default in (None, "", (), False) else f"`{word.default}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
