"""The same handler as LitServe wants it: a class of its own module, which its workers import anew."""

import os
from typing import Any

import litserve as ls
from fastapi import Request

from benchmarks.serving.peers import answer, session


class Api(ls.LitAPI):  # type: ignore[misc]
    """Decode, resize, run, best five."""

    def setup(self, device: Any) -> None:
        self.run = session(os.environ["GRAPH"], 1)

    def decode_request(self, request: Request) -> bytes:
        data: bytes = request["picture"].file.read()
        return data

    def predict(self, data: bytes) -> dict[str, Any]:
        return answer(self.run, data)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output
