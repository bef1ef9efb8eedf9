"""Kill the workers of a batch job again and again, and compare what comes out with a job that nobody killed.

Two workers answer one job; they are killed with SIGKILL at random moments and others take their places at once. At the
end the answers must be the same bytes as those of a job that ran alone, and no picture may be missing or there twice.

    PYTHONPATH=src python benchmarks/reliability/jobs.py --kills 100 [--place postgresql://...]
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sightline.serving.fixed import Fixed
from sightline.serving.jobs import Options, open_jobs
from sightline.testing.bundles import levels, pictures

CHILD = """
import sys
from sightline.serving.fixed import Fixed
from sightline.serving.jobs import open_jobs
with open_jobs(sys.argv[1], sys.argv[2]) as jobs:
    print("ready", flush=True)
    jobs.run(Fixed([sys.argv[3]]))
"""


def worker(place: str, folder: Path, model: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", CHILD, place, str(folder), str(model)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    return child


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--place", help="a postgresql:// URL; a file without it")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    room, rng = Path(tempfile.mkdtemp(prefix="sightline-jobs-")), random.Random(given.seed)
    model = levels(room / "levels.sightline", 1, "classify")
    pictures(room / "photos", given.pictures)
    (room / "photos" / "broken.png").write_bytes(b"\x89PNG nothing")
    shelf, place = Fixed([model]), given.place or str(room / "jobs.db")
    kills = rounds = different = answered_twice = 0
    start = time.perf_counter()
    with open_jobs(place, room / "jobs") as jobs:
        options = Options(chunk=4)
        whole = jobs.submit("levels", [str(room / "photos")], source=shelf, options=options)
        jobs.run(shelf, only=whole.id)
        wanted = (whole.folder / "predictions.jsonl").read_bytes()
        while kills < given.kills:
            job = jobs.submit("levels", [str(room / "photos")], source=shelf, options=options)
            rounds += 1
            workers = [worker(place, room / "jobs", model) for _ in range(2)]
            while kills < given.kills and jobs.status(job.id).state != "done":
                time.sleep(rng.uniform(0.05, 0.8))
                place_of = rng.randrange(2)
                workers[place_of].send_signal(signal.SIGKILL)
                workers[place_of].communicate()
                kills += 1
                workers[place_of] = worker(place, room / "jobs", model)
            for one in workers:
                one.communicate()
            jobs.run(shelf, only=job.id)
            done = jobs.status(job.id)
            names = [json.loads(line)["id"] for line in (done.folder / "predictions.jsonl").open()]
            answered_twice += len(names) - len(set(names))
            different += done.state != "done" or (done.folder / "predictions.jsonl").read_bytes() != wanted
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    found = {
        "kills": kills, "jobs": rounds, "pictures": given.pictures + 1, "different": different, "twice": answered_twice,
        "seconds": round(time.perf_counter() - start, 1), "machine": platform.machine(),
        "python": platform.python_version(), "commit": commit.stdout.strip(),
    }  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
