"""What a run remembers: tensors and a record of the rest, each hashed; the record is written last and two are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline.core.errors import RunError
from sightline.core.files import canonical, digest, digest_file, sweep, write_durably

KEEP = 2
FROZEN = "frozen.safetensors"  # beside the checkpoints: what never changes


def save(folder: Path, number: int, tensors: Mapping[str, Any], record: Mapping[str, Any]) -> Path:
    """Checkpoint `number`, whole or not at all; older ones beyond `KEEP` go once it stands."""
    from safetensors.torch import save as pack

    data = pack({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    stem = f"{number:010d}"
    write_durably(folder / f"{stem}.safetensors", data)
    body = canonical({"record": record, "sha256": digest(data), "size": len(data)})
    path = folder / f"{stem}.json"
    write_durably(path, digest(body).encode() + b"\n" + body)
    for old in sorted(folder.glob("*.json"))[:-KEEP]:
        old.unlink(missing_ok=True)
        old.with_suffix(".safetensors").unlink(missing_ok=True)
    return path


def load(folder: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Tensors and record of the newest checkpoint that is whole, or None where there never was one."""
    sweep(folder)
    records = sorted(folder.glob("*.json"), reverse=True)
    for path in records:
        whole = _read(path)
        if whole is not None:
            return whole
    if records:
        raise RunError(f"none of the {len(records)} checkpoints in {folder} is whole. Start again in another folder.")
    return None


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """None where any bit of it is not as written."""
    from safetensors.torch import load_file

    seal, _, body = path.read_bytes().partition(b"\n")
    if digest(body).encode() != seal:
        return None
    manifest = json.loads(body)
    tensors = path.with_suffix(".safetensors")
    if (
        not tensors.is_file()
        or tensors.stat().st_size != manifest["size"]
        or digest_file(tensors) != manifest["sha256"]
    ):
        return None
    return load_file(tensors), manifest["record"]


def put_away(path: Path, tensors: Mapping[str, Any]) -> str:
    """Write what never changes, once; answers its hash. Nothing is written where there is nothing."""
    from safetensors.torch import save as pack

    if not tensors:
        return ""
    data = pack({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    write_durably(path, data)
    return digest(data)


def take_out(path: Path, hashed: str) -> dict[str, Any]:
    """What was put away, if not a bit of it has changed."""
    from safetensors.torch import load_file

    if not hashed:
        return {}
    if not path.is_file() or digest_file(path) != hashed:
        raise RunError(
            f"{path} holds the frozen weights of this run and is missing or damaged. Start in another folder."
        )
    found: dict[str, Any] = load_file(path)
    return found
