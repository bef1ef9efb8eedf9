"""Errors are one line, whatever they quote."""

import inspect

import pytest

from sightline.core import errors


def test_every_error_has_a_code_of_its_own() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.SightlineError)]
    codes = [kind.code for kind in kinds if kind not in (errors.InputError, errors.ServingError)]
    assert len(codes) == len(set(codes)) >= 9


def test_messages_are_one_line_and_can_be_printed() -> None:
    error = errors.RunError("a\n  b\tc \udcff")
    assert error.message == str(error) == "a b c \\udcff"
    error.message.encode()


def test_inputs_carry_their_code() -> None:
    error = errors.InputError("corrupt", "x")
    assert (error.code, error.message) == ("corrupt", "x")
    assert error.code in errors.INPUT_CODES


@pytest.mark.parametrize(("name", "want"), [("clasify", " Did you mean 'classify'?"), ("zzz", ""), (3, "")])
def test_the_nearest_name(name: object, want: str) -> None:
    assert errors.nearest(name, ["classify", "embed"]) == want  # type: ignore[arg-type]
