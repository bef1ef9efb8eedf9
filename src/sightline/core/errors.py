"""Errors that are the user's to fix: one line that says what was given, what is accepted and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SightlineError(Exception):
    """Base of every error that a user can fix; anything else is our bug and keeps its traceback."""

    code = "error"

    def __init__(self, message: str) -> None:
        line = " ".join(message.split())
        super().__init__(line.encode("utf-8", "backslashreplace").decode())  # names of files need not be text

    @property
    def message(self) -> str:
        return str(self.args[0])


class InputError(SightlineError):
    """A picture or a label that cannot be used; `code` is one of `INPUT_CODES`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


INPUT_CODES = {
    "missing": "the file is not there or may not be read",
    "empty": "the file holds no bytes",
    "too_large": "more bytes, pixels or frames than the limit",
    "unknown_format": "the first bytes belong to no picture format that is accepted",
    "corrupt": "the bytes say one thing and hold another",
    "truncated": "the file ends before its picture does",
    "unsupported": "a known format in a variant that would lose information",
    "mismatch": "channels, depth or shape differ from what the model takes",
    "unrelated": "two pictures have nothing in common that could be found",
    "too_slow": "more seconds than the limit, in guarded mode",
    "crashed": "the decoder died of it, in guarded mode",
    "refused": "it killed a decoder twice within the hour, in guarded mode",
    "label": "a label file says something that cannot be true",
}


class SettingsError(SightlineError):
    """A setting that is unknown, of the wrong type or out of range."""

    code = "settings"


class UnknownNameError(SightlineError):
    """A name that no entry of a family has."""

    code = "unknown_name"


class AmbiguousError(SightlineError):
    """Two or more readings are possible, or none; the message names them all."""

    code = "ambiguous"


class MissingExtraError(SightlineError):
    """A library that an optional extra brings is not installed."""

    code = "missing_extra"


class BundleError(SightlineError):
    """A bundle that is damaged, hostile, or does not give the answers it was saved with."""

    code = "bundle"


class RunError(SightlineError):
    """A run that cannot be started, continued or extended as asked."""

    code = "run"


class DivergedError(RunError):
    """Training produced numbers that are not finite and no single picture is to blame."""

    code = "diverged"


class RegistryError(SightlineError):
    """A version, alias or name that the registry does not hold, or cannot change as asked."""

    code = "registry"


class ServingError(SightlineError):
    """A request that is turned down or was lost; `code` is one of `SERVING_CODES`, and with it comes its status."""

    arm, number, experiment = "", 0, ""  # whose it was, where it had been given to a version

    def __init__(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code, self.status, self.retry_after = code, SERVING_CODES[code], retry_after


SERVING_CODES = {  # and what HTTP calls them
    "schema": 400,  # the request is not what the route takes
    "unauthorised": 401,
    "forbidden": 403,
    "not_found": 404,  # no such route, model or version
    "method": 405,  # the route is there, and takes another method
    "slow": 408,  # the request came in more slowly than the limit
    "conflict": 409,
    "body": 413,  # more bytes or parts than the limit
    "media": 415,
    "queue_full": 429,  # more is asked than can be answered in time
    "rate": 429,  # more than this caller's share
    "headers": 431,  # more of them, or longer ones, than the limit
    "worker_lost": 503,  # what computed the answer died: ask again
    "not_ready": 503,
    "draining": 503,
    "deadline": 504,
}


class StorageError(SightlineError):
    """The disk refused a write; what was there before is untouched."""

    code = "storage"


def nearest(name: str, choices: Iterable[str]) -> str:
    """' Did you mean ...?' for the closest choice, or an empty string."""
    close = difflib.get_close_matches(str(name), list(choices), n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else ""
