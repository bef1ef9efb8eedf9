"""Tokens: shown once, kept as hashes, known by the whole of them, taken away while a service runs."""

import json
import os
import stat
from pathlib import Path

import pytest

from sightline.core.errors import ServingError, SettingsError, UnknownNameError
from sightline.server.tokens import Keeper, new_token, read_tokens, revoke_token


def test_the_file_holds_no_token_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    made, secret = new_token(path, ["infer", "read"], "camera 3")
    text = path.read_text()
    assert secret.split("_", 2)[2] not in text
    assert secret not in text
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert made.scopes == ("infer", "read")
    assert read_tokens(path) == [made]


def test_only_the_whole_token_is_known(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    made, secret = new_token(path, ["infer"])
    keeper = Keeper(path)
    assert keeper.identify(secret).id == made.id
    changed = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    other = secret.replace(made.id, "0" * 12)
    for wrong in ("", "x", changed, secret[:-1], secret + "A", other, secret.upper(), "sl_é_x", secret + "\n"):
        with pytest.raises(ServingError) as error:
            keeper.identify(wrong)
        assert error.value.code == "unauthorised"
        assert error.value.status == 401


def test_a_token_that_is_taken_away_is_turned_down_at_the_next_look(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    kept, gone = new_token(path, ["infer"]), new_token(path, ["read"])
    keeper = Keeper(path)
    assert keeper.identify(gone[1])
    revoke_token(path, gone[0].id)
    keeper.refresh()
    assert keeper.identify(kept[1]).id == kept[0].id
    with pytest.raises(ServingError):
        keeper.identify(gone[1])
    with pytest.raises(UnknownNameError):
        revoke_token(path, gone[0].id)


def test_a_file_that_is_damaged_lets_nobody_new_in_and_nobody_out(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    _, secret = new_token(path, ["infer"])
    keeper = Keeper(path)
    path.write_text("{")
    keeper.refresh()
    assert keeper.trouble
    assert keeper.identify(secret)
    with pytest.raises(SettingsError):
        Keeper(path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"id": 1}]', "null"])
def test_what_is_no_file_of_tokens_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(text)
    with pytest.raises(SettingsError):
        read_tokens(path)


def test_scopes_are_three(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    for scopes in ([], ["root"], ["infer", "Admin"]):
        with pytest.raises(SettingsError):
            new_token(path, scopes)
    made, _ = new_token(path, ["read"])
    rows = json.loads(path.read_text())
    rows[0]["scopes"] = ["everything"]
    path.write_text(json.dumps(rows))
    with pytest.raises(SettingsError, match="everything"):
        read_tokens(path)
    assert made.salt != new_token(tmp_path / "other.json", ["read"])[0].salt
