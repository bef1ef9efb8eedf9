"""What others would write: a network behind FastAPI with Pillow and ONNX Runtime, and behind LitServe.

A graph that takes floats is what exporting a network gives: the handler cuts, scales and shifts as tutorials do. One
that takes the bytes of a picture (ours) does that itself, so that only its size is left to the handler.

python benchmarks/serving/peers.py fastapi --graph model.onnx --port 9001 --workers 2
PYTHONPATH=/where/litserve/is python benchmarks/serving/peers.py litserve --graph model.onnx --port 9002
"""

import argparse
import io
import os
from typing import Any

import numpy as np

SIDE = 224
MEAN, SPREAD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)


def session(path: str, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if threads:  # else as it comes, which is what a plain handler has
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def prepared(picture: Any) -> np.ndarray:
    """The shorter side to 256, the middle, ImageNet's mean and spread, channels first."""
    from PIL import Image

    scale = 256 / min(picture.size)
    sides = round(picture.width * scale), round(picture.height * scale)
    picture = picture.resize(sides, Image.Resampling.BILINEAR)
    left, top = (picture.width - SIDE) // 2, (picture.height - SIDE) // 2
    pixels = np.asarray(picture.crop((left, top, left + SIDE, top + SIDE)), np.float32) / 255
    return ((pixels - MEAN) / SPREAD).transpose(2, 0, 1)[None].astype(np.float32)


def answer(run: Any, data: bytes) -> dict[str, Any]:
    """Decode, resize, run, best five: as in many a tutorial."""
    from PIL import Image

    picture, taken = Image.open(io.BytesIO(data)).convert("RGB"), run.get_inputs()[0]
    if "float" in taken.type:
        given = prepared(picture)
    else:
        given = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))[None]
    logits = run.run(["logits"], {taken.name: given})[0][0]
    powers = np.exp(logits - logits.max())
    scores = powers / powers.sum()
    best = np.argsort(-scores)[:5]
    return {"names": [f"name-{place}" for place in best], "scores": [float(scores[place]) for place in best]}


def fastapi_app(handler: str = "thread") -> Any:
    from fastapi import FastAPI, UploadFile

    app, run = FastAPI(), session(os.environ["GRAPH"], int(os.environ.get("THREADS", "1")))
    if handler == "thread":

        @app.post("/predict")
        def predict(picture: UploadFile) -> dict[str, Any]:
            return answer(run, picture.file.read())

    else:

        @app.post("/predict")
        async def predict_here(picture: UploadFile) -> dict[str, Any]:
            return answer(run, await picture.read())

    return app


def fastapi_async() -> Any:
    return fastapi_app("async")


def litserve(port: int) -> None:
    import litserve as ls

    from benchmarks.serving.litserve_api import Api

    server = ls.LitServer(Api(), accelerator="cpu", workers_per_device=int(os.environ.get("WORKERS", "2")), timeout=30)
    server.run(port=port, host="127.0.0.1", generate_client_file=False, log_level="error", num_api_servers=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("fastapi", "fastapi-async", "litserve"))
    parser.add_argument("--graph", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    os.environ |= {"GRAPH": given.graph, "THREADS": str(given.threads), "WORKERS": str(given.workers)}
    if given.kind == "litserve":
        litserve(given.port)
        return
    import uvicorn

    factory = "fastapi_app" if given.kind == "fastapi" else "fastapi_async"
    uvicorn.run(
        f"benchmarks.serving.peers:{factory}", factory=True, host="127.0.0.1", port=given.port, workers=given.workers,
        access_log=False, log_level="error",
    )  # fmt: skip


if __name__ == "__main__":
    main()
