"""The log of requests: one JSON object a line, of known fields, each with its time."""

import io
import json
import time

import pytest

from sightline.server.logs import Log


def test_only_known_fields_get_in() -> None:
    out = io.BytesIO()
    Log(out)("request", status=200, token="secret", route="/models/{name}/predict")
    told = json.loads(out.getvalue())
    assert set(told) == {"event", "status", "route", "time"}


def test_times_go_on_from_second_to_second(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    log = Log(out)
    for now in (999_999_999, 1_000_000_000, 1_000_001_000, 1_700_000_000_123_456_789):
        monkeypatch.setattr(time, "time_ns", lambda now=now: now)
        log("request")
    assert [json.loads(line)["time"] for line in out.getvalue().splitlines()] == [
        "1970-01-01T00:00:00.999999Z", "1970-01-01T00:00:01.000000Z", "1970-01-01T00:00:01.000001Z",
        "2023-11-14T22:13:20.123456Z",
    ]  # fmt: skip
