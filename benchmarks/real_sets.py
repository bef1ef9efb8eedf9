"""What each of your data sets is read as: layout, samples, labels, splits, and the seconds it takes.

    PYTHONPATH=src python benchmarks/real_sets.py FOLDER [FOLDER ...]      (or set SIGHTLINE_DATA to a folder of them)

Every folder, .zip and .tar.xz directly in FOLDER is a data set; FOLDER itself is one where a layout is recognised.
Archives are unpacked into a temporary folder, within it and nowhere else. Pictures are not decoded, but one of each.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tarfile
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.data import recognise
from sightline.core.errors import SightlineError

QUICK = True
_ARCHIVES = (".zip", ".tar.xz", ".tar.gz", ".tgz")


def unpacked(path: Path, room: Path) -> Path:
    """The folder that an archive holds; a lone folder inside it is stepped into."""
    out = room / path.name.split(".")[0]
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(out)
    else:
        with tarfile.open(path) as archive:
            archive.extractall(out, filter="data")
    return out


def places(path: Path, room: Path) -> list[Path]:
    """The data sets in a folder: itself where it is one, else what lies in it, one folder deep."""
    if path.is_file():
        return [unpacked(path, room)] if path.name.endswith(_ARCHIVES) else [path]
    archives = [file for file in sorted(path.iterdir()) if file.name.endswith((*_ARCHIVES, ".npz"))]
    if archives:
        return [unpacked(file, room) if file.name.endswith(_ARCHIVES) else file for file in archives]
    return [path]


def row(path: Path) -> dict[str, Any]:
    """One data set, read."""
    begun, spent = time.perf_counter(), time.process_time()
    try:
        name = recognise(path)
        data = catalog.find("formats", name).read(path)
        splits = Counter(sample.split for sample in data)
    except SightlineError as error:
        inner = [folder for folder in sorted(path.iterdir()) if folder.is_dir()] if path.is_dir() else []
        if len(inner) == 1:
            return row(inner[0])
        return {"set": path.name, "error": error.message, "seconds": round(time.perf_counter() - begun, 3)}
    first = next((sample for sample in data if sample.truth is not None), None)
    shape = None
    for sample in data:
        try:
            shape = "x".join(map(str, sample.pixels().shape))
            break
        except SightlineError:
            continue
    things = getattr(first.truth, "boxes", None) if first else None
    return {
        "set": path.name,
        "layout": name,
        "samples": len(data),
        "kind": data.kind.__name__ if data.kind else None,
        "names": len(data.names),
        "some": list(data.names[:4]),
        "splits": {str(side): count for side, count in sorted(splits.items(), key=str)},
        "unlabelled": sum(sample.truth is None for sample in data),
        "first": None if things is None else f"{len(np.asarray(things))} objects",
        "picture": shape,
        "seconds": round(time.perf_counter() - begun, 3),
        "cpu": round(time.process_time() - spent, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, default=[])
    given = parser.parse_args()
    folders = (
        given.folders or [Path(os.environ["SIGHTLINE_DATA"])] if given.folders or "SIGHTLINE_DATA" in os.environ else []
    )
    if not folders:
        print("no data named: give folders, or set SIGHTLINE_DATA to a folder of data sets")
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {commit.stdout.strip()}")
    rows = []
    with tempfile.TemporaryDirectory(prefix="sightline-sets-") as room:
        for folder in folders:
            inside = [path for path in sorted(folder.iterdir()) if path.is_dir()] if folder.is_dir() else []
            whole = (
                not folder.is_dir()
                or len(inside) < 2
                or any(catalog.find("formats", name).sniff(folder).strength > 1 for name in catalog.names("formats"))
            )
            for path in [folder] if whole else inside:
                for place in places(path, Path(room)):
                    rows.append(row(place))
                    print("  ".join(f"{key}={value}" for key, value in rows[-1].items()))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
