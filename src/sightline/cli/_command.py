"""From a plain function to a command: positional parameters are arguments, keyword-only ones are options.

A command file needs no import of the command-line library: `Annotated[str, "what it means"]` says it all.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.core.errors import SightlineError, nearest

COMMON = {
    "json": "print the result as one JSON document, and progress as JSON lines on standard error",
    "quiet": "say nothing on the way",
}


class UsageError(SightlineError):
    """A command line that does not parse."""

    code = "usage"


@dataclass(frozen=True, slots=True)
class Word:
    """One argument or option of a command."""

    name: str
    kind: Any  # a type
    default: Any  # inspect.Parameter.empty where it must be given
    help: str
    option: bool

    @property
    def spelt(self) -> str:
        """As it is typed."""
        return f"--{self.name.replace('_', '-')}" if self.option else self.name.upper()

    @property
    def several(self) -> bool:
        return typing.get_origin(self.kind) is tuple


def words_of(run: Callable[..., Any]) -> list[Word]:
    """What a command takes, without the screen that every command is given first."""
    hints = typing.get_type_hints(run, include_extras=True)
    found = []
    for name, parameter in list(inspect.signature(run).parameters.items())[1:]:
        kind, help = typing.get_args(hints[name])[:2]
        found.append(Word(name, kind, parameter.default, help, parameter.kind is parameter.KEYWORD_ONLY))
    return [*found, *(Word(name, bool, False, help, True) for name, help in COMMON.items())]


def call(name: str, module: ModuleType, given: list[str]) -> int:
    """Parse the words after a command's name, run it, print its answer."""
    import typer

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, help=module.__doc__)(_typed(name, module.run))
    command: Any = typer.main.get_command(app)
    try:
        # Not `command.main`, which swallows interruptions and closed pipes that our own door answers for.
        with command.make_context(f"sightline {name}", given) as context:
            return int(command.invoke(context))
    except typer.Exit as ending:
        return int(ending.exit_code)
    except Exception as error:
        if hasattr(error, "format_message"):
            raise UsageError(f"{_explained(error, command)} See: sightline {name} --help") from error
        raise


def _explained(error: Any, command: Any) -> str:
    wrong = getattr(error, "option_name", None)
    if wrong and type(error).__name__ == "NoSuchOption":
        return f"no option is called '{wrong}'.{nearest(wrong, [o for p in command.params for o in p.opts])}"
    message: str = error.format_message()
    return message if message.endswith(".") else f"{message}."


def _typed(name: str, run: Callable[..., Mapping[str, Any] | None]) -> Callable[..., int]:
    """The function with a signature that typer reads; it opens the screen and prints what comes back."""
    import typer

    words = words_of(run)

    def command(**given: Any) -> int:
        for word in words:
            if word.several:
                given[word.name] = tuple(given[word.name] or ())
        with Screen(name, json=given.pop("json"), quiet=given.pop("quiet")) as screen:
            answer = run(screen, **given)
        screen.answer(answer or {})
        return screen.status

    parameters = []
    for word in words:
        kind = list[str] if word.several else word.kind
        default = [] if word.default == () else word.default
        shown = "<text>" if word.several else None
        info = (
            typer.Option(word.spelt, help=word.help, metavar=shown) if word.option else typer.Argument(help=word.help)
        )
        parameters.append(
            inspect.Parameter(
                word.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info]
            )
        )
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command
