"""A small true model, and services that answer with it: real processes, real sockets."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from sightline.core import bundle as bundles
from sightline.core import golden
from sightline.core.annotations import Labels
from sightline.core.encoding import encode
from sightline.core.image import ArrayImage
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.server.tokens import SCOPES, new_token

NAMES = ("red", "green", "blue")


def coloured(name: str, size: int = 24) -> np.ndarray:
    """A picture of one colour, brighter at the bottom."""
    pixels = np.zeros((size, size, 3), np.uint8)
    pixels[..., NAMES.index(name)] = np.linspace(160, 250, size).astype(np.uint8)[:, None]
    return pixels


def graph(scale: float = 0.03) -> bytes:
    """Names a picture after its strongest colour: the mean of each channel, and a softmax that tasks apply."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["real", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "scale"], ["logits"]),
    ]
    made = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 16, 16, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
            helper.make_tensor("scale", TensorProto.FLOAT, [1], [scale]),
        ],
    )
    model = helper.make_model(made, ir_version=10, opset_imports=[helper.make_opsetid("", 20)])
    return bytes(model.SerializeToString())


def make_bundle(place: Path, note: str = "", *, names: tuple[str, ...] = NAMES, scale: float = 0.03) -> Path:
    """A bundle as an export writes one, of a model that anybody can check by eye."""
    options = {
        "size": None, "dropout": 0.0, "smoothing": 0.0, "features": "auto", "keep": None, "loss": "cross_entropy",
        "mirror": False,
    }  # fmt: skip
    facts = Facts({"image": InputSpec((16, 16), 3)}, names, options, {})
    samples = [Sample(name, (ArrayImage(coloured(name), name),)) for name in NAMES]
    answers = []
    for name in NAMES:
        logits = coloured(name, 24).reshape(-1, 3).mean(0) * scale
        powers = np.exp(logits - logits.max())
        answers.append(Labels(names, (powers / powers.sum()).astype(np.float32)))
    card: dict[str, Any] = {
        "task": "classify", "model": "small", "facts": facts.to_json(), "options": options, "created": "2026-01-01",
        "thresholds": {}, "metrics": [], "golden": {"seed": 0, "tolerance": 0.02}, "lineage": {"run": note or "none"},
        "data": {"name": "colours"}, "licence": "unstated", "note": note,
    }  # fmt: skip
    files = {"model.onnx": graph(scale), "golden.npz": golden.pack(samples, answers, 0), "card.md": b"# Colours\n"}
    return bundles.save(place, card, files)


@dataclass
class Running:
    """A service in a process of its own."""

    process: subprocess.Popen[bytes]
    base: str
    log: Path
    said: str
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])

    def client(self, token: str = "all", **named: Any) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self.tokens[token]}"} if token in self.tokens else {}
        return httpx2.Client(base_url=self.base, headers=headers, timeout=20, verify=False, **named)  # no https here

    def raw(self, data: bytes, *, wait: float = 5.0) -> bytes:
        """Bytes to the socket, and everything that comes back until it closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as held:
            held.sendall(data)
            return read_all(held)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self, number: int = signal.SIGTERM, wait: float = 20) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(wait)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of what the process said."""
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


def read_all(held: socket.socket) -> bytes:
    """Until the other side closes, or says nothing for the time that the socket allows."""
    found = b""
    try:
        while piece := held.recv(65536):
            found += piece
    except (TimeoutError, ConnectionError):
        pass
    return found


Start = Callable[..., Running]


def start_service(folder: Path, *words: str, tokens: dict[str, str] | None = None, port: int = 0) -> Running:
    """`sightline serve` as it is typed, but that what libraries warn of is an error; answers once it listens."""
    log = folder / f"log-{time.monotonic_ns()}.jsonl"
    command = [sys.executable, "-m", "sightline", "serve", *words, "--port", str(port), "--log", str(log)]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error::UserWarning"},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    said = b"".join(process.stdout.readline() for _ in range(3)).decode()
    if "listening on " not in said:
        _, told = process.communicate()
        raise AssertionError(said + told.decode())
    base = said.split("listening on ")[1].split()[0]
    return Running(process, base, log, said, tokens or {})


def make_tokens(path: Path) -> dict[str, str]:
    """A token for each scope, and one for all."""
    kinds = {name: [name] for name in SCOPES} | {"all": list(SCOPES)}
    return {name: new_token(path, scopes, name)[1] for name, scopes in kinds.items()}


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("colours") / "colours")


@pytest.fixture(scope="session")
def service(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for all tests that leave it as it was: tokens, small limits, one worker."""
    folder = tmp_path_factory.mktemp("service")
    tokens = make_tokens(folder / "tokens.json")
    limits = ("body=300000", "room=2000000", "parts=4", "head_seconds=0.6", "pause_seconds=0.6", "connections=40",
              "idle_seconds=5", "linger=0.05", "unsized=2")  # fmt: skip
    words = [word for limit in limits for word in ("--limit", limit)]
    running = start_service(folder, str(bundle), "--workers", "1", "--token-file", "tokens.json", *words, tokens=tokens)
    yield running
    assert running.stop() == 0


@pytest.fixture
def picture() -> bytes:
    return encode(coloured("green"))


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Start]:
    """Start services that end with the test, whatever happens."""
    made: list[Running] = []

    def start(*words: str, **named: Any) -> Running:
        made.append(start_service(tmp_path, *words, **named))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        one.close()
