"""Make, list and take away the tokens that a service asks for; a token is shown once, and only its hash is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._doors import server
from sightline.cli._lines import columns
from sightline.core.errors import SettingsError


def run(
    screen: Screen,
    action: Annotated[str, "new, list or revoke"],
    id: Annotated[str, "of revoke: the id that list shows"] = "",
    *,
    scope: Annotated[str, "what a new one may do, with commas: infer, read, train, admin"] = "infer,read",
    file: Annotated[Path, "where the hashes are kept; only its owner can read it"] = Path("tokens.json"),
    only: Annotated[str, "names of the models that a new one is kept to, with commas, such as acme-*"] = "",
    note: Annotated[str, "whose it is, to tell them apart"] = "",
) -> dict[str, Any]:
    """The token, or the list."""
    tokens = server("tokens")
    if action == "new":
        made, secret = tokens.new_token(file, _words(scope), note, _words(only))
        screen.say(secret)
        may = ", ".join(made.scopes) + _kept(made.only)
        screen.note(f"keep it now: {file} holds only its hash. It may: {may}. Its id: {made.id}")
        return {"token": secret, "id": made.id, "scopes": made.scopes, "only": made.only, "file": file}
    if action == "list":
        known = tokens.read_tokens(file)
        for line in columns((one.id, ",".join(one.scopes), ",".join(one.only), one.created, one.note) for one in known):
            screen.say(line)
        return {
            "tokens": [
                {"id": one.id, "scopes": one.scopes, "only": one.only, "created": one.created, "note": one.note}
                for one in known
            ]
        }
    if action == "revoke":
        gone = tokens.revoke_token(file, id)
        screen.say(f"{gone.id} is taken away; services that read {file} turn it down within two seconds")
        return {"revoked": gone.id}
    raise SettingsError(f"'{action}' is not done to tokens; write new, list or revoke.")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _kept(only: tuple[str, ...]) -> str:
    return f", with the models {', '.join(only)}" if only else ""
