"""Who may do what: tokens of which only a keyed hash is kept, compared in a time that says nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sightline.core.errors import ServingError, SettingsError, UnknownNameError
from sightline.core.files import write_durably
from sightline.server.reach import patterns

SCOPES = ("infer", "read", "train", "admin")  # none holds another
_SHAPE = re.compile(r"sl_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NOBODY = hashlib.sha256(b"nobody").hexdigest()


@dataclass(frozen=True, slots=True)
class Token:
    """What the file holds of a token: all but the token."""

    id: str
    scopes: tuple[str, ...]
    salt: str
    hash: str
    created: str
    note: str = ""
    only: tuple[str, ...] = ()  # names of models that it is kept to, `*` for any letters; all where there are none


def _hashed(salt: str, secret: str) -> str:
    """A secret of 256 random bits needs no slow hash: nobody guesses it."""
    return hmac.new(salt.encode(), secret.encode(), hashlib.sha256).hexdigest()


def read_tokens(path: Path) -> list[Token]:
    """The tokens of a file."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(rows, list):
            raise TypeError("a list was expected")
        found = [Token(**{**row, "scopes": tuple(row["scopes"]), "only": tuple(row.get("only", ()))}) for row in rows]
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}. Make it with: sightline token new") from error
    except (ValueError, TypeError, KeyError) as error:
        raise SettingsError(f"{path} holds no tokens: {str(error)[:120]}. Make it with: sightline token new") from error
    wrong = sorted({scope for token in found for scope in token.scopes} - set(SCOPES))
    if wrong:
        raise SettingsError(f"{path}: scope '{wrong[0]}' is none of {', '.join(SCOPES)}.")
    return found


def new_token(
    path: Path, scopes: Iterable[str], note: str = "", only: Iterable[str] = ()
) -> tuple[Token, str]:  # fmt: skip
    """Add a token to a file that only its owner reads; the token itself is answered once and kept nowhere."""
    asked = tuple(dict.fromkeys(scopes))
    wrong = [scope for scope in asked if scope not in SCOPES]
    if wrong or not asked:
        raise SettingsError(f"--scope {','.join(asked)}: name one or more of {', '.join(SCOPES)}, with commas.")
    name, secret, salt = secrets.token_hex(6), secrets.token_urlsafe(32), secrets.token_hex(16)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    token = Token(name, asked, salt, _hashed(salt, secret), created, note, patterns(only))
    _write(path, [*(read_tokens(path) if path.exists() else []), token])
    return token, f"sl_{name}_{secret}"


def revoke_token(path: Path, name: str) -> Token:
    """Take a token out of a file; services that read it notice within a second or two."""
    known = read_tokens(path)
    gone = [token for token in known if token.id == name]
    if not gone:
        raise UnknownNameError(f"{path} holds no token '{name}'. It holds: {', '.join(t.id for t in known) or 'none'}.")
    _write(path, [token for token in known if token.id != name])
    return gone[0]


def _write(path: Path, tokens: list[Token]) -> None:
    before = os.umask(0o077)
    try:
        write_durably(path, (json.dumps([asdict(token) for token in tokens], indent=1) + "\n").encode())
    finally:
        os.umask(before)


class Keeper:
    """Lets callers in; reads its file anew when that changes, and keeps the last good one where it cannot."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._stamp: tuple[int, int, int] = (0, 0, 0)
        self._tokens: dict[str, Token] = {}
        self.trouble = ""  # why the file could not be read anew
        if path is not None:
            self._load(path)

    @property
    def open(self) -> bool:
        """Whether nobody needs a token."""
        return self.path is None

    def _load(self, path: Path) -> None:
        status = path.stat() if path.exists() else None
        self._tokens = {token.id: token for token in read_tokens(path)}
        if status is not None:
            self._stamp = (status.st_ino, status.st_size, status.st_mtime_ns)

    def refresh(self) -> None:
        """Look whether the file has changed; cheap enough for every second."""
        if self.path is None:
            return
        try:
            status = self.path.stat()
            if (status.st_ino, status.st_size, status.st_mtime_ns) != self._stamp:
                self._load(self.path)
            self.trouble = ""
        except (OSError, SettingsError) as error:
            self.trouble = str(error)

    def identify(self, token: str) -> Token:
        """Whose token this is, or 401; it takes as long for one that is nearly right as for one that is not."""
        shape = _SHAPE.fullmatch(token)
        known = self._tokens.get(shape[1]) if shape else None
        salt, wanted = (known.salt, known.hash) if known else ("", _NOBODY)
        right = hmac.compare_digest(_hashed(salt, shape[2] if shape else token), wanted)
        if known is None or not right:
            raise ServingError("unauthorised", "This token is not known. Send: Authorization: Bearer TOKEN")
        return known
