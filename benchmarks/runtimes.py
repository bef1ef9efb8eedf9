"""Runtimes side by side: what a prediction costs beyond the network, and which form of a bundle is fastest.

    PYTHONPATH=src python benchmarks/runtimes.py [--names resnet18 ...] [--threads 1] [--rounds 9] [--pictures 1000]

Networks of the timm library with random weights, as bundles. Figures are medians of processor time over calls that are
interleaved in one process, so that a busy machine changes them less. Four parts: `overhead` (from decoded pixels to a
typed answer, less the bare session, beside a lean script of OpenCV and the session), `choice` (every form by hand at
one row and at eight, and what `backend="fastest"` takes), `parity` (every model of ours and some of timm, each runtime
against torch: rows of 1 to 16, and the same name on --pictures pictures), `cold` (`sightline predict`, a new process).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import bundle as bundles
from sightline.core import catalog, golden
from sightline.core.errors import SightlineError
from sightline.core.extras import need
from sightline.core.image import BytesImage, encode
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Facts, Task
from sightline.predicting.answers import answers, torch_run
from sightline.predicting.measuring import tiled
from sightline.predicting.model import load
from sightline.predicting.runtimes import Form, forms, open_graph

QUICK = False
PARTS = ("overhead", "choice", "parity", "cold")
GATE = 0.02  # of the answers' scores, and of the plain outputs as a share of their largest number
FAMILIES = ("small", "quick", "lenet", "tutorial", "vit", "vit3", "vim", "vision_ttt", "kaconvnet")
OTHERS = (
    "mobilenetv3_small_100",
    "resnet18",
    "resnet50",
    "convnext_femto",
    "efficientnet_lite0",
    "vit_tiny_patch16_224",
)


def picture(seed: int, rows: int = 480, columns: int = 640) -> np.ndarray:
    """Smooth noise: something that a JPEG file could hold."""
    small = np.random.default_rng(seed).integers(0, 256, (rows // 8, columns // 8, 3), np.uint8)
    made: np.ndarray = need("cv2").resize(small, (columns, rows))
    return made


def bundle(room: Path, model: str, *, names: int = 1000, side: int = 224, task: str = "classify", **spec: Any) -> Path:
    """A bundle of an untrained network of this kind."""
    torch, room_ = need("torch"), room / f"{model.replace(':', '-')}-{side}-{spec.get('resample', 'smooth')}"
    if room_.exists():
        return room_
    torch.manual_seed(0)
    entry: Task = catalog.find("tasks", task).TASK
    facts = Facts({"image": InputSpec((side, side), **spec)}, tuple(f"name {n}" for n in range(names)), {}, {})
    facts = replace(facts, options=asdict(entry.Options()))
    network = entry.network(model, facts).eval()
    graph = catalog.find("exporters", "onnx").export(entry.graphs(network, facts)["model"])
    samples = [Sample(f"golden-{n}", (BytesImage(encode(picture(n)), f"golden-{n}"),)) for n in range(4)]
    wanted: list[Any] = [answer for _, answer in answers(entry, torch_run(network), samples, facts)]
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    tolerance = 1e-3 if task == "classify" else 1e9  # boxes of an untrained network hang on the last bit
    card = {
        "task": task,
        "model": model,
        "facts": facts.to_json(),
        "thresholds": {},
        "golden": {"tolerance": tolerance},
    }
    files = {"model.onnx": graph, "golden.npz": golden.pack(samples, wanted, 0)}
    files["weights.safetensors"] = need("safetensors.numpy").save(weights)
    return bundles.save(room_, card, files)


def medians(calls: dict[str, Callable[[], object]], rounds: int, times: int = 1) -> dict[str, float]:
    """Processor seconds of each call, in turn; the first of each warms up."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            start = time.process_time()
            for _ in range(times):
                call()
            if turn:
                taken[name].append((time.process_time() - start) / times)
    return {name: statistics.median(spent) for name, spent in taken.items()}


def overhead(room: Path, given: argparse.Namespace) -> None:
    """From decoded pixels of 640 x 480 to a typed answer, less the session alone."""
    cv2 = need("cv2")
    cv2.setNumThreads(1)
    pixels = picture(9)
    for resample in ("fast", "smooth"):
        model = load(bundle(room, "timm:mobilenetv3_small_100", resample=resample), threads=given.threads)
        small = cv2.resize(pixels, (224, 224))[None]

        def lean(run: Any = model.run) -> np.ndarray:
            logits = run({"image": cv2.resize(pixels, (224, 224))[None]})["logits"][0]
            best = np.argpartition(-logits, 5)[:5]
            return best[np.argsort(-logits[best])]

        spent = medians(
            {
                "session": lambda model=model, small=small: model.run({"image": small}),
                "lean script": lean,
                "predict": lambda model=model: model.predict(pixels),
            },
            given.rounds * 5,
            5,
        )
        session, ours = spent["session"], spent["predict"]
        print(
            f"  mobilenetv3_small_100, resampling '{resample}': session {1e3 * session:.3f} ms, lean script "
            f"+{1e3 * (spent['lean script'] - session):.3f}, Model.predict +{1e3 * (ours - session):.3f} ms (bar 0.25)"
        )
    ready = load(bundle(room, "small", names=5, side=640, task="detect", fit="letterbox"), threads=given.threads)
    arrays, frames = ready.task.inputs([Sample("one", (BytesImage(encode(pixels), "one"),))], ready.facts)
    made = ready.run(arrays)
    still = replace(ready, run=lambda arrays: made)
    spent = medians(
        {
            "all but the session": lambda: still.predict(pixels),
            "decoding with its suppression": lambda: ready.task.decode(made, frames, ready.facts),
        },
        given.rounds * 3,
    )
    rest = 1e3 * (spent["all but the session"] - spent["decoding with its suppression"])
    boxes = len(still.predict(pixels)[0])  # type: ignore[arg-type]
    print(
        f"  detection at 640: +{rest:.3f} ms (bar 0.6), and {1e3 * spent['decoding with its suppression']:.3f} ms for "
        f"{boxes} boxes of an untrained network"
    )


def choice(room: Path, given: argparse.Namespace) -> None:
    """Every form by hand, and the one that is taken."""
    for name in given.names:
        path = bundle(room, f"timm:{name}")
        graph = bundles.load(path).files["model.onnx"]
        start = time.perf_counter()
        taken = load(path, backend="fastest", allow=GATE, threads=given.threads)
        first, start = time.perf_counter() - start, time.perf_counter()
        load(path, backend="fastest", allow=GATE, threads=given.threads)
        again = time.perf_counter() - start
        runs = {str(form): open_graph(form, graph, name, given.threads) for form in forms()}
        arrays, _ = taken.task.inputs([Sample("one", (BytesImage(encode(picture(5)), "one"),))], taken.facts)
        usual = runs[str(Form("onnx"))](arrays)["logits"]
        away = {
            form: float(np.abs(run(arrays)["logits"] - usual).max() / np.abs(usual).max()) for form, run in runs.items()
        }
        own = str(Form(taken.backend, taken.precision))
        for rows in (1, 8):
            some = tiled(arrays, rows)
            spent = medians({form: (lambda run=run, some=some: run(some)) for form, run in runs.items()}, given.rounds)
            able = {form: seconds for form, seconds in spent.items() if away[form] <= GATE}
            told = ", ".join(f"{form} {1e3 * s / rows:.2f} ms ({away[form]:.2%})" for form, s in spent.items())
            print(
                f"  {name}, {rows} rows: {told}\n    taken {own}: {min(able.values()) / spent[own]:.3f} of the best by "
                f"hand (bar 0.95), {spent[str(Form('onnx'))] / spent[own]:.2f} x ONNX Runtime float32 (bar 1.5)"
            )
        print(f"    opened in {first:.2f} s while measuring, in {again:.2f} s with what is remembered", flush=True)


def parity(room: Path, given: argparse.Namespace) -> None:
    """The largest difference of any output from torch, and the share of pictures that get the same name."""
    del room
    torch = need("torch")
    classify: Task = catalog.find("tasks", "classify").TASK
    side = {"vit_tiny_patch16_224": 224}
    for model in given.models or (*FAMILIES, *(f"timm:{name}" for name in OTHERS)):
        size = side.get(model.partition(":")[2], 64)
        facts = Facts({"image": InputSpec((size, size))}, tuple(map(str, range(10))), asdict(classify.Options()), {})
        torch.manual_seed(0)
        try:
            network = classify.network(model, facts).eval()
            graph = catalog.find("exporters", "onnx").export(classify.graphs(network, facts)["model"])
        except SightlineError as error:
            print(f"  {model}: {error.message}")
            continue
        known = torch_run(network)
        chance = np.random.default_rng(0)
        some = [chance.integers(0, 256, (rows, size, size, 3), np.uint8) for rows in range(1, 17)]
        count = given.pictures if size < 100 else given.pictures // 10
        many = chance.integers(0, 256, (count, size, size, 3), np.uint8)
        told = []
        for form in forms():
            try:
                run = open_graph(form, graph, model, given.threads)
            except SightlineError as error:
                told.append(f"{form}: {error.message[-60:]}")
                continue
            far = max(
                float(np.abs(run({"image": rows})[name] - value).max())
                for rows in some
                for name, value in known({"image": rows}).items()
            )
            same = np.concatenate(
                [
                    run({"image": rows})["logits"].argmax(1) == known({"image": rows})["logits"].argmax(1)
                    for rows in np.array_split(many, max(1, count // 16))
                ]
            )
            told.append(f"{form} {far:.1e}, {same.mean():.1%}")
        print(f"  {model} ({count} pictures): {'; '.join(told)}", flush=True)


def cold(room: Path, given: argparse.Namespace) -> None:
    """A fresh process that answers about one JPEG."""
    path, file = bundle(room, "timm:mobilenetv3_small_100"), room / "one.jpg"
    need("cv2").imwrite(str(file), picture(3))
    words = [sys.executable, "-m", "sightline", "predict", str(path), str(file), "--threads", str(given.threads)]
    wall, spent = [], []
    for _ in range(given.rounds):
        start = time.perf_counter()
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        assert status == 0
        wall.append(time.perf_counter() - start)
        spent.append(usage.ru_utime + usage.ru_stime)
    print(
        f"  sightline predict, one picture: {min(spent):.3f} s of processor time at best, "
        f"{statistics.median(spent):.3f} in the middle; "
        f"{min(wall):.3f} and {statistics.median(wall):.3f} s on the clock (bar 0.45 on a quiet machine)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--names", nargs="+", default=["mobilenetv3_small_100", "resnet18", "resnet50"])
    parser.add_argument("--models", nargs="+", help="of the part `parity`, instead of all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--room", type=Path, help="where the bundles lie; made anew without it")
    given = parser.parse_args()
    room = given.room or Path(tempfile.mkdtemp(prefix="sightline-runtimes-"))
    os.environ["SIGHTLINE_CACHE"] = tempfile.mkdtemp()  # nothing remembered: the choice is measured here
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    libraries = ("onnxruntime", "openvino", "torch", "timm")
    versions = {name: metadata.version(name) for name in libraries}
    print(f"{platform.machine()}, {os.cpu_count()} cores, {given.threads} thread(s), {commit.stdout.strip()}")
    print(json.dumps(versions))
    for part in given.parts:
        print(part, flush=True)
        globals()[part](room, given)


if __name__ == "__main__":
    main()
