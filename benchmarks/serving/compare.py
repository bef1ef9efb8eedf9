"""One network behind several doors, side by side: JPEG uploads of 500 x 375, a MobileNetV3 of a thousand names.

The limit is what two threads of one process reach that decode, resize and run without any door. Every server gets the
same load from the same generator, turn by turn; ours keeps its log, its tokens and its limits. The others have the same
network as it is usually exported, with a tutorial's lines around it; one of them also has our graph, which takes the
bytes of a picture. Prints
requests a second, milliseconds and CPU milliseconds a request (of the server with all its processes), as medians over
rounds; ratios are of the same round.

The others take uploads with python-multipart, which they need beside ours.

    python benchmarks/serving/compare.py --peers /where/litserve/is --rounds 3 --seconds 4 --clients 8 32
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SIDE, NAMES = 224, 1000


def photograph(path: Path) -> None:
    """Something with edges and texture that takes as many bytes as a photograph does."""
    import cv2

    chance = np.random.default_rng(3)
    pixels = np.zeros((375, 500, 3), np.float32)
    for scale, weight in ((4, 90), (16, 40), (125, 25)):
        rough = chance.normal(0, 1, (max(2, 375 * scale // 375), max(2, 500 * scale // 375), 3)).astype(np.float32)
        pixels += weight * cv2.resize(rough, (500, 375), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        x, y, r = (int(v) for v in chance.integers(20, 360, 3))
        cv2.circle(pixels, (x, y), r // 4, [float(v) for v in chance.normal(0, 90, 3)], -1)
    cv2.imwrite(str(path), np.clip(pixels + 128, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])


def make_bundle(place: Path, name: str) -> Path:
    """The network with the weights that chance gave it, as a bundle; what it says does not matter here."""
    import torch

    from sightline.core import bundle, catalog, golden
    from sightline.core.annotations import Annotation
    from sightline.core.image import BytesImage, encode
    from sightline.core.inputs import InputSpec
    from sightline.core.sample import Sample
    from sightline.core.task import Facts
    from sightline.predicting.answers import answers

    torch.manual_seed(0)
    task = catalog.find("tasks", "classify").TASK
    options = {"size": None, "dropout": 0.0, "smoothing": 0.0, "features": "auto", "keep": None, "mirror": False}
    spec = InputSpec((SIDE, SIDE), 3, resample="fast")
    facts = Facts({"image": spec}, tuple(f"name-{n}" for n in range(NAMES)), {**options, "loss": "cross_entropy"}, {})
    network = task.network(name, facts).eval()
    exporter = catalog.find("exporters", "onnx")
    files = {f"{part}.onnx": exporter.export(graph) for part, graph in task.graphs(network, facts).items()}
    run = exporter.load(files["model.onnx"], "model.onnx", 1)
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    samples = [Sample("golden", (BytesImage(encode(pixels), "golden"),))]
    given = [answer for _, answer in answers(task, run, samples, facts) if isinstance(answer, Annotation)]
    card = {
        "task": "classify", "model": name, "facts": facts.to_json(), "options": options, "thresholds": {},
        "metrics": [], "golden": {"seed": 0, "tolerance": 0.001}, "lineage": {}, "data": {"name": "none"},
    }  # fmt: skip
    return bundle.save(place, card, {**files, "golden.npz": golden.pack(samples, given, 0), "card.md": b"# Speed\n"})


def make_plain(place: Path, name: str) -> Path:
    """The same network as exporting gives it: floats in, channels first."""
    import torch

    from sightline.core import catalog
    from sightline.core.inputs import InputSpec
    from sightline.core.task import Graph

    class Plain(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            built = catalog.find("models", name).build(3)
            whole = catalog.find("heads", "labels")(built, InputSpec((SIDE, SIDE), 3), NAMES)
            self.model, self.head = whole.model, whole.head

        def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": self.head(self.model(image)[-1].mean((2, 3)))}

    torch.manual_seed(0)
    graph = Graph(Plain().eval(), {"image": np.zeros((1, 3, SIDE, SIDE), np.float32)}, {"image": (0,)})
    place.write_bytes(catalog.find("exporters", "onnx").export(graph))
    return place


def limit(graph: Path, picture: bytes, seconds: float) -> dict[str, float]:
    """Two threads without a door: decode as fast as can be, resize, run, best five."""
    import cv2
    import simplejpeg

    from benchmarks.serving.peers import session

    counts = [0, 0]
    until = time.perf_counter() + seconds

    def work(place: int) -> None:
        run = session(str(graph), 1)
        name = run.get_inputs()[0].name
        while time.perf_counter() < until:
            pixels = simplejpeg.decode_jpeg(picture, "RGB", min_height=SIDE, min_width=SIDE)
            given = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
            np.argpartition(-run.run(["logits"], {name: given[None]})[0][0], 5)[:5]
            counts[place] += 1

    cv2.setNumThreads(1)
    spent = time.process_time()
    threads = [threading.Thread(target=work, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.process_time() - spent
    return {"rps": round(sum(counts) / seconds, 1), "cpu_ms": round(1000 * spent / sum(counts), 3)}


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for child in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = child.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found += [int(child.parent.name)] if int(fields[1]) == pid else []
    return [pid, *(one for child in found[1:] for one in tree(child))]


def cpu(pid: int) -> float:
    """CPU seconds of a process and all below it."""
    total = 0
    for one in tree(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return total / os.sysconf("SC_CLK_TCK")


class Door:
    """A server in processes of its own."""

    def __init__(self, name: str, words: list[str], port: int, path: str, headers: list[str], extra: str = "") -> None:
        self.name, self.port, self.path, self.headers = name, port, path, headers
        paths = [str(ROOT / "src"), str(ROOT), *([extra] if extra else [])]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths[::-1] if extra else paths)}
        self.said = Path(tempfile.mkdtemp()) / "said.txt"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                words, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
            )

    def load(self, picture: Path, clients: int, seconds: float) -> dict[str, Any]:
        """What the generator says, and the CPU that each request took."""
        words = [sys.executable, str(HERE / "load.py"), "--port", str(self.port), "--path", self.path]
        words += ["--picture", str(picture), "--clients", str(clients), "--seconds", str(seconds), "--warm", "0.3"]
        words += [word for header in self.headers for word in ("--header", header)]
        before = cpu(self.process.pid)
        said = subprocess.run(words, capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(said.stdout)
        count = max(1, sum(found["statuses"].values())) * (seconds + 0.3) / seconds
        found["cpu_ms"] = round(1000 * (cpu(self.process.pid) - before) / count, 3)
        found["client_ms"] = round(1000 * found.pop("cpu") / count, 3)
        return found

    def wait(self, picture: Path) -> None:
        """Until it answers."""
        until = time.monotonic() + 90
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if self.load(picture, 1, 0.2)["statuses"].get("200"):
                    return
            except (OSError, subprocess.CalledProcessError):
                time.sleep(0.5)
        raise SystemExit(f"{self.name} does not answer: {self.said.read_text()[-400:]}")

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)


def doors(room: Path, graph: Path, plain: Path, peers: str) -> list[Callable[[], Door]]:
    """How each is started."""
    from sightline.server.tokens import new_token

    _, token = new_token(room / "tokens.json", ["infer", "read"])
    python, at = sys.executable, iter(range(9310, 9399))

    def ours(name: str = "sightline", *more: str) -> Door:
        port, registry = next(at), str(room / "registry")
        words = [python, "-m", "sightline", "serve", "--registry", registry, "--port", str(port), "--workers", "2"]
        words += ["--token-file", str(room / "tokens.json"), "--limit", "rate=100000"]
        words += ["--log", str(room / f"{port}.log")]
        words += [word for each in more for word in ("--set", each)]
        return Door(name, words, port, "/models/speed/predict?top=5", [f"Authorization: Bearer {token}"])

    def fastest() -> Door:
        """In whichever runtime and precision is the soonest here, within two hundredths of the golden answers."""
        return ours("sightline fastest", "backend=fastest", "allow=0.02")

    def peer(
        name: str, kind: str, workers: int, threads: int, extra: str = "", graph: Path = plain
    ) -> Callable[[], Door]:
        def start() -> Door:
            port = next(at)
            words = [python, "-m", "benchmarks.serving.peers", kind, "--graph", str(graph), "--port", str(port)]
            words += ["--workers", str(workers), "--threads", str(threads)]
            return Door(name, words, port, "/predict", [], extra)

        return start

    made = [ours, fastest, peer("FastAPI plain", "fastapi-async", 1, 0), peer("FastAPI threads", "fastapi", 1, 0)]
    made.append(peer("FastAPI 2 workers", "fastapi-async", 2, 1))  # tuned: a thread each
    made.append(peer("... with our graph", "fastapi-async", 2, 1, graph=graph))
    return [*made, peer("LitServe", "litserve", 2, 1, peers)] if peers else made


def report(rows: dict[tuple[str, int], list[dict[str, Any]]], limits: list[dict[str, float]]) -> None:
    """Medians, and the ratios of each round."""
    print(f"in-process limit: {middle(limits, 'rps'):.0f} requests/s, {middle(limits, 'cpu_ms'):.2f} CPU ms a request")
    print(f"{'server':18} {'clients':>7} {'rps':>7} {'p50':>7} {'p99':>7} {'p99/p50':>7} {'CPU ms':>7} {'of limit':>8}"
          f" {'ours/it':>8} {'CPU it/ours':>11}")  # fmt: skip
    for (name, clients), found in rows.items():
        ours = rows[("sightline", clients)]
        share = statistics.median(one["rps"] / top["rps"] for one, top in zip(found, limits, strict=True))
        lead = statistics.median(mine["rps"] / max(1, one["rps"]) for mine, one in zip(ours, found, strict=True))
        less = statistics.median(one["cpu_ms"] / mine["cpu_ms"] for mine, one in zip(ours, found, strict=True))
        p50, p99 = middle(found, "p50"), middle(found, "p99")
        print(f"{name:18} {clients:7} {middle(found, 'rps'):7.0f} {p50:7.2f} {p99:7.2f} {p99 / max(p50, 1e-9):7.2f}"
              f" {middle(found, 'cpu_ms'):7.2f} {share:8.0%} {lead:8.2f} {less:11.2f}")  # fmt: skip
        odd = {status: count for one in found for status, count in one["statuses"].items() if status != "200"}
        if odd:
            print(f"  answers that are not 200: {odd}")


def middle(rows: list[dict[str, Any]], name: str) -> float:
    return float(statistics.median(row[name] for row in rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default="", help="the folder that litserve is installed in")
    parser.add_argument("--network", default="timm:mobilenetv3_small_100")
    parser.add_argument("--picture", type=Path, help="a JPEG instead of a made one")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    given = parser.parse_args()
    room = Path(tempfile.mkdtemp(prefix="sightline-serving-"))
    picture = given.picture or room / "photo.jpg"
    if not given.picture:
        photograph(picture)
    bundle, plain = make_bundle(room / "speed", given.network), make_plain(room / "plain.onnx", given.network)
    subprocess.run(
        [sys.executable, "-m", "sightline", "register", str(bundle), "--name", "speed", "--registry",
         str(room / "registry"), "--quiet"], check=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
          f"Python {platform.python_version()}, "
          + ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "uvicorn", "fastapi", "uvloop"))
          + f", {commit.stdout.strip()}; {picture.stat().st_size:,} bytes a picture")  # fmt: skip
    running = [start() for start in doors(room, bundle / "model.onnx", plain, given.peers)]
    rows: dict[tuple[str, int], list[dict[str, Any]]] = {}
    limits: list[dict[str, float]] = []
    try:
        for door in running:
            door.wait(picture)
        for _ in range(given.rounds):
            limits.append(limit(bundle / "model.onnx", picture.read_bytes(), given.seconds))
            for clients in given.clients:
                for door in running:
                    rows.setdefault((door.name, clients), []).append(door.load(picture, clients, given.seconds))
    finally:
        for door in running:
            door.close()
    report(rows, limits)


if __name__ == "__main__":
    main()
