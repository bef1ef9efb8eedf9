"""The command: finds the file that a word names, runs it, and turns what a user can fix into one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from sightline.core.errors import SightlineError, UnknownNameError, nearest

DONE, FIXABLE, INTERRUPTED, PIPE_CLOSED = 0, 2, 130, 141


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and answer with its exit status."""
    given = [*(sys.argv[1:] if words is None else words)]  # the command `list` hides the builtin here
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = _dispatch(given)
        sys.stdout.flush()
        return status
    except SightlineError as error:
        return _refused(error, given)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us went away; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _dispatch(words: list[str]) -> int:
    from sightline.core import catalog

    first = words[0] if words else "--help"
    if first in ("-h", "--help", "help"):
        if first == "help" and len(words) > 1:
            return _dispatch([words[1], "--help"])
        sys.stdout.write(_overview(catalog.describe("cli")))
        return DONE
    if first in ("-V", "--version") and len(words) == 1:
        from sightline import __version__

        sys.stdout.write(f"sightline {__version__}\n")
        return DONE
    if first.startswith("-"):
        from sightline.cli._command import UsageError

        raise UsageError(f"'{first}' stands before a command; write it after: sightline COMMAND {first}")
    try:
        module = catalog.find("cli", first.replace("-", "_"))
    except UnknownNameError as error:
        known = catalog.names("cli")
        raise UnknownNameError(
            f"no command is called '{first}'.{nearest(first, known)} Commands: {', '.join(known)}."
        ) from error
    from sightline.cli._command import call

    return call(first, module, words[1:])


def _overview(commands: dict[str, str]) -> str:
    from sightline import __version__

    width = max(map(len, commands), default=0)
    lines = [f"  {name.replace('_', '-'):{width}}  {line}" for name, line in commands.items()]
    return "\n".join(
        [
            f"Sightline {__version__}: from pictures to decisions that people can trust.",
            "",
            "usage: sightline COMMAND [--json] [--quiet] …",
            "",
            *lines,
            "",
            "sightline COMMAND --help says more. Start with: sightline demo",
            "",
        ]
    )


def _refused(error: SightlineError, words: list[str]) -> int:
    """One line for people, or one document for machines; 2, or 128 + the signal that asked to stop."""
    message, number = error.message, int(getattr(error, "number", 0))
    if number:
        import shlex

        message = f"{message} Continue with: sightline {shlex.join(words)}"
    if "--json" in words:
        import json

        sys.stdout.write(json.dumps({"schema": 1, "error": {"code": error.code, "message": message}}) + "\n")
        sys.stdout.flush()
    else:
        from sightline.cli._lines import printable

        sys.stderr.write(printable(f"error[{error.code}]: {message}") + "\n")
    return 128 + number if number else FIXABLE
