"""Trained weights become the bundles that Sightline ships, each with its card, and are measured as they are shipped.

    PYTHONPATH=src python benchmarks/restoration/ship.py [NAME ...] [--from FOLDER] [--to FOLDER] [--data FOLDER]

The path is the product's own: the task builds the network, the exporter writes the graph, answers of graph and network
are compared, golden answers travel along. Weights are kept with half the bits, and the graph is made of what was kept.
With a folder of test pictures (see protocol.py) the card states what the bundle reaches on published protocols.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from sightline.core import bundle as bundles
from sightline.core import catalog, files, golden
from sightline.core.chance import generator
from sightline.core.errors import BundleError
from sightline.core.image import BytesImage, encode
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Facts, Task
from sightline.exporting.export import Parity, card_text, compare
from sightline.predicting.answers import answers, torch_run
from sightline.predicting.model import load, torch_network

sys.path[:0] = [str(Path(__file__).parent)]
import pictures  # noqa: E402 - after the path
import protocol  # noqa: E402
import train  # noqa: E402

HOME = Path(__file__).parents[2] / "src" / "sightline" / "weights"
WINDOW, OVERLAP = 256, 32  # of whole pictures: a tile and its maps stay near the processor
LARGEST = 3_000_000  # bytes of one bundle
DAMAGES = {"denoise": "noise", "deblock": "jpeg"}  # what the task calls what a job mends; else pictures made smaller
LICENCE = "Apache-2.0"


def facts_of(name: str, job: train.Job) -> Facts:
    """What the task would fix at step 0 for such a network."""
    task: Task = catalog.find("tasks", "restore").TASK
    damage = DAMAGES.get(name.split("_")[0], "none")
    given = {"damage": damage, "scale": job.scale, "channels": job.channels, "deep": True, "window": WINDOW}
    options = task.Options(**given | {"tile": job.patch, "overlap": OVERLAP})
    spec = InputSpec((job.patch,) * 2, job.channels, "float32", "tile", OVERLAP)
    return Facts({"image": spec}, (), asdict(options), {"masked": False})


def ship(name: str, source: Path, target: Path, data: Path | None) -> Path:
    """One bundle, refused where it answers otherwise than its network or is too large."""
    job, task = train.JOBS[name], catalog.find("tasks", "restore").TASK
    with safe_open(source / f"{name}.safetensors", "np") as held:
        weights = {f"model.{key}": held.get_tensor(key).astype(np.float16) for key in held.keys()}  # noqa: SIM118
        said = held.metadata()
    facts = facts_of(name, job)
    network = torch_network(task, job.model, facts, {key: np.float32(value) for key, value in weights.items()})
    run, chosen = torch_run(network), samples_of(job)
    wanted = [answer for _, answer in answers(task, run, chosen, facts)]
    exporter, table = catalog.find("exporters", "onnx"), list[Parity]()
    members = {"weights.safetensors": save(weights), "golden.npz": golden.pack(chosen, wanted, 0)}
    for part, graph in task.graphs(network, facts).items():
        members[f"{part}{exporter.SUFFIX}"] = made = exporter.export(graph)
        table += compare(task, run, exporter.load(made, part), chosen, wanted, facts)
    if not all(row.equal for row in table):
        raise BundleError(f"{name}: the graph does not answer like the network: {table}")
    path = target / f"{name}.sightline"
    card = card_of(name, job, facts, sum(map(np.size, weights.values())), table, said)
    _save(path, card, members)
    if data is not None:
        _save(path, card | {"metrics": measured(name, path, data)}, members)
    size = path.stat().st_size
    if size > LARGEST:
        raise BundleError(f"{path} has {size:,} bytes; at most {LARGEST:,} are shipped")
    reached = "; ".join(f"{row['name']} {row['value']:.2f}" for row in load(path).card["metrics"])
    print(f"{path.name}: {size:,} bytes, {reached or 'not measured'}", flush=True)
    return path


def _save(path: Path, card: dict[str, Any], members: Mapping[str, bytes]) -> None:
    text = card_text(card) + "\n## What it learnt from\n\n" + "\n".join(f"- {line}" for line in card["learnt"]) + "\n"
    bundles.save(path, card, {**members, "card.md": text.encode()})


def samples_of(job: train.Job) -> list[Sample]:
    """A few damaged patches of drawn pictures, as the golden answers' questions."""
    made = []
    for index in range(3):
        rows, columns = 16 * (index + 2) // job.scale, 48 // job.scale
        clean, chance = pictures.leaves(index, 64)[:rows, :columns], generator("golden", index)
        damaged = clean + chance.normal(0, 12 if job.scale == 1 else 0, clean.shape)
        pixels = np.clip(np.rint(damaged), 0, 255).astype(np.uint8)[..., : job.channels]
        made.append(Sample(f"golden-{index}", (BytesImage(encode(np.ascontiguousarray(pixels)), f"golden-{index}"),)))
    return made


def card_of(
    name: str, job: train.Job, facts: Facts, parameters: int, table: Sequence[Parity], said: Mapping[str, str]
) -> dict[str, Any]:
    """All that the bundle says of itself."""
    chain, above = [name], job.start
    while above:
        chain, above = [above, *chain], train.JOBS[above].start
    drawn = f"scenes of the worlds {', '.join(pictures.WORLDS)}, and fallen leaves, drawn by Sightline (Apache-2.0)"
    names = {"torch": version("torch"), "numpy": version("numpy"), "python": platform.python_version()}
    return {
        "task": "restore",
        "model": job.model,
        "facts": facts.to_json(),
        "parameters": int(parameters),
        "settings": {"steps": job.steps, "batch": job.batch, "patch": job.patch, "rate": job.rate},
        "options": dict(facts.options),
        "split": {},
        "counts": {"photographs": len(pictures.PHOTOGRAPHS)},
        "versions": names,
        "created": datetime.now(UTC).date().isoformat(),
        "data": {"name": "free photographs and drawn scenes", "fingerprint": files.digest(drawn.encode())},
        "lineage": {"run": " -> ".join(chain), "seed": int(said["seed"]), "seconds": float(said["seconds"])},
        "learnt": [
            *(photograph.credit for photograph in pictures.PHOTOGRAPHS),
            drawn,
            f"damaged by {', '.join(f'{what} ({often:.0%})' for what, often in job.spoils.items())}",
            f"steps: {' -> '.join(f'{link} {train.JOBS[link].steps:,}' for link in chain)}, seed {said['seed']}",
            f"{float(said['seconds']) / 60:.1f} minutes of one processor, all parts together",
            "told nothing of the strength of the damage",
        ],
        "calibration": {},
        "thresholds": {},
        "metrics": [],
        "parity": [asdict(row) for row in table],
        "explanations": [],
        "golden": {"tolerance": catalog.find("tasks", "restore").TASK.kind.tolerance, "seed": 0},
        "licence": LICENCE,
        "runs_with": "onnxruntime",
    }


def measured(name: str, path: Path, data: Path) -> list[dict[str, Any]]:
    """What the bundle reaches on the published protocols that suit it: mean and 95 % interval over pictures."""
    model, rows = load(path), []
    task, channels = name.split("_")[0], train.JOBS[name].channels
    for one in protocol.PROTOCOLS:
        if one.task == task and (one.channels == channels or (one.scale > 1 and channels == 3)):
            found = [case.decibels(model.predict(case.given)[0].pixels) for case in one.cases(data)]
            half = 1.96 * float(np.std(found, ddof=1)) / len(found) ** 0.5
            mean = float(np.mean(found))
            said = {"name": f"{one.name} (dB)", "value": mean, "low": mean - half, "high": mean + half}
            rows.append(said | {"count": len(found)})
    return rows


def main() -> None:
    parser = protocol.parser(str(__doc__))
    parser.add_argument("names", nargs="*", default=[name for name, job in train.JOBS.items() if job.decay])
    parser.add_argument("--from", dest="source", type=Path, default=train.HELD)
    parser.add_argument("--to", type=Path, default=HOME)
    given = parser.parse_args()
    data = protocol.folder_of(given)
    given.to.mkdir(parents=True, exist_ok=True)
    for name in given.names:
        ship(name, given.source, given.to, data)


if __name__ == "__main__":
    main()
