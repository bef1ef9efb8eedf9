"""Memory that steps need again and again: cleared by the system once, and given back in the end."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import contextlib, ctypes, json, resource
from pathlib import Path
from sightline.core.heap import kept_memory

SIZE = 2**26
PAGES = SIZE // 4096
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]

def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def held():
    return int(Path("/proc/self/statm").read_text().split()[1])

def steps():
    before = pages()
    for _ in range(5):
        place = library.malloc(SIZE)
        ctypes.memset(place, 1, SIZE)
        library.free(place)
    return (pages() - before) / PAGES

told = {"usual": steps()}
with kept_memory():
    with contextlib.suppress(KeyError), kept_memory():
        raise KeyError
    steps()
    told |= {"inside": steps(), "held": held() / PAGES}
told |= {"left": held() / PAGES, "after": steps()}
print(json.dumps(told))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of the GNU C library")
def test_pages_are_cleared_once_while_inside_and_go_back_afterwards() -> None:
    told = json.loads(subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True).stdout)
    assert told["usual"] > 4, "else there is nothing to gain"
    assert told["inside"] < 0.1
    assert told["left"] < told["held"] - 0.9
    assert told["after"] > 4
