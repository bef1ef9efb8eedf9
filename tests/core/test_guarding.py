"""Pictures that kill their decoder cost one error each: real crashes, hangs and floods in real processes."""

import importlib
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sightline.core import cell, confining, decoding, guarding
from sightline.core.encoding import encode_clear
from sightline.core.errors import INPUT_CODES, InputError
from sightline.core.guarding import Guard
from sightline.core.image import examine, read_image
from sightline.core.limits import Limits
from tests.core.bombs import BOMBS
from tests.core.mutator import mutants
from tests.decoders import gallery

FAULTY = Path(__file__).parent.parent / "fixtures" / "faulty"
QUICK = Limits(seconds=1.0, room=512 * 2**20)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the figures are read from Linux's /proc")


@pytest.fixture(scope="module")
def guard() -> Iterator[Guard]:
    sys.path.insert(0, str(FAULTY))
    importlib.invalidate_caches()
    os.environ["SECRET_TOKEN"] = "x"
    with Guard(limits=QUICK) as made:
        sys.path.remove(str(FAULTY))
        made._path = str(FAULTY)  # type: ignore[attr-defined]
        yield made
    del os.environ["SECRET_TOKEN"]


@pytest.fixture(autouse=True)
def _faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is started anew finds the fault decoder too; this process never asks for it."""
    monkeypatch.syspath_prepend(str(FAULTY))


def answer(guard: Guard, words: str) -> str:
    return bytes(guard.read(f"FAULTY!{words}".encode())[0, :, 0]).decode().strip()


def code_of(guard: Guard, data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(InputError) as caught:
        guard.read(data, "x.png", limits=limits)
    assert caught.value.code in INPUT_CODES
    assert "x.png" in caught.value.message
    return caught.value.code


def test_it_answers_what_is_read_without_it(guard: Guard) -> None:
    for name in ("jpeg", "png 16 colour", "tiff five channels", "pfm", "heic", "dng", "webp", "avif 10 bits", "npy"):
        data = gallery.piece(name).data
        got = guard.read(data)
        np.testing.assert_array_equal(got, decoding.decode_here(data))
        assert got.flags.writeable
        assert guard.examine(data) == decoding.examine_here(data)
    assert guard.read(gallery.piece("tiff pages").data, page=2).max() == (gallery.DEEP // 3).max()
    assert guard.read(gallery.piece("jpeg").data, at_least=(6, 9)).shape == (6, 10, 3)
    halved = gallery.saved(gallery.RGB, "JPEG", quality=90, subsampling=2)
    quick = decoding.decode_here(halved, quick=True)
    assert not np.array_equal(quick, decoding.decode_here(halved)), "nothing to tell them apart by"
    np.testing.assert_array_equal(guard.read(halved, quick=True), quick)
    clear = encode_clear(np.dstack([gallery.RGB, gallery.GRAY]))
    np.testing.assert_array_equal(guard.read(clear, alpha=True), np.dstack([gallery.RGB, gallery.GRAY]))
    assert guard.read(gallery.piece("png palette").data, indices=True).max() == gallery.GRAY.max() // 16
    volume = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(guard.read(gallery._npy(volume)), volume)


def test_errors_are_those_of_the_decoder(guard: Guard) -> None:
    assert code_of(guard, b"") == "empty"
    assert code_of(guard, b"nothing") == "unknown_format"
    assert code_of(guard, gallery.piece("png").data[:-20]) == "truncated"
    assert code_of(guard, gallery._npy(np.array(["a"]))) == "unsupported"
    with pytest.raises(InputError, match="no page 7"):
        guard.read(gallery.piece("png").data, page=7)
    with pytest.raises(InputError, match="bytes; the limit is 10"):
        guard.read(bytes(11), limits=Limits(bytes=10))


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("abort", "crashed"),
        ("segfault", "crashed"),
        ("exit", "crashed"),
        ("spin", "too_slow"),
        ("sleep", "too_slow"),
        ("swell", "too_large"),
        ("swell_in_c", "too_large"),
        ("babble", "crashed"),
        ("lie [99999, 99999]/uint8", "crashed"),
        ("lie [1]/object", "crashed"),
        ("lie [-1, -8]/uint8", "crashed"),
        ("lie [8]/nonsense", "crashed"),
        ("lie 8/uint8", "crashed"),
    ],
)
def test_every_fault_is_one_error_and_the_next_picture_is_read(guard: Guard, word: str, code: str) -> None:
    start = time.monotonic()
    patient = Limits(seconds=60) if code == "too_large" else QUICK  # memory is asked for as fast as there is time
    assert code_of(guard, f"FAULTY!{word}".encode(), patient) == code
    assert time.monotonic() - start < 10 * QUICK.seconds or patient is not QUICK
    assert answer(guard, "well done") == "done"


def test_what_killed_twice_is_refused_for_a_while() -> None:
    with Guard(limits=QUICK, forget=0.8) as guard:
        codes = [code_of(guard, b"FAULTY!abort again") for _ in range(4)]
        assert codes == ["crashed", "crashed", "refused", "refused"]
        assert guard.deaths == 2
        assert answer(guard, "well") == "fine"
        time.sleep(0.9)
        assert code_of(guard, b"FAULTY!abort again") == "crashed"


def test_neighbours_do_not_notice() -> None:
    """Two workers, three threads; every third picture kills."""
    wrong: list[str] = []
    data = gallery.piece("png").data

    def work(number: int) -> None:
        for turn in range(6):
            try:
                if turn % 3 == 2:
                    assert code_of(guard, f"FAULTY!abort {number} {turn}".encode()) == "crashed"
                else:
                    np.testing.assert_array_equal(guard.read(data), gallery.RGB)
            except BaseException as error:
                wrong.append(repr(error))

    with Guard(2) as guard:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert guard.deaths == 6
        assert len(guard.processes) == 2


def walls(guard: Guard, *needed: str) -> None:
    for name in needed:
        if not guard.protection[name]:
            pytest.skip(f"this kernel has no {name}: {guard.protection}")


@pytest.mark.parametrize(
    "words",
    [
        "open /etc/passwd",
        "open /proc/self/environ",
        f"open {Path(__file__).resolve()}",
        "list /",
        "write /tmp/sightline-probe",
        "remove /tmp/sightline-probe",
    ],
)
def test_files_are_out_of_reach(guard: Guard, words: str, tmp_path: Path) -> None:
    walls(guard, "landlock")
    assert answer(guard, words) == "deny"


@pytest.mark.parametrize(
    "words",
    ["socket AF_INET", "socket AF_INET6", "socket AF_UNIX", "execve", "fork", "spawn", "kill 1", "ptrace 1", "limit"],
)
def test_network_and_processes_are_out_of_reach(guard: Guard, words: str) -> None:
    walls(guard, "seccomp")
    assert answer(guard, words) == "deny"


def test_every_call_on_the_list_is_refused(guard: Guard) -> None:
    walls(guard, "seccomp")
    column = 0 if platform.machine() == "x86_64" else 1
    numbers = [str(row[column]) for row in confining._REFUSED.values() if row[column] is not None]
    assert len(numbers) > 60
    assert answer(guard, f"calls {','.join(numbers)}") == "0"


def test_the_list_holds_what_it_must() -> None:
    needed = {"socket", "connect", "execve", "execveat", "fork", "vfork", "ptrace", "kill", "mount", "bpf", "unlink"}
    assert needed <= set(confining._REFUSED)
    for column in (0, 1):
        numbers = [row[column] for row in confining._REFUSED.values() if row[column] is not None]
        assert len(set(numbers)) == len(numbers)


def test_it_inherits_no_secrets(guard: Guard) -> None:
    assert os.environ["SECRET_TOKEN"]
    assert answer(guard, "environment") == "0"


def test_a_worker_that_cannot_start_is_no_fault_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/bin/false")
        guard = Guard()
    for _ in range(3):
        with monkeypatch.context() as broken:
            broken.setattr(sys, "executable", "/bin/false")
            with pytest.raises(RuntimeError, match=r"cannot start.*status 1"):
                guard.read(gallery.piece("png").data)
    assert guard.deaths == 0
    guard.close()


def test_a_closed_guard_says_so() -> None:
    with Guard() as guard:
        processes = guard.processes
    with pytest.raises(RuntimeError, match="closed"):
        guard.read(b"x")
    assert guard.processes == []
    assert not any(Path(f"/proc/{process}").exists() for process in processes)


def test_what_protects_is_said(guard: Guard) -> None:
    told = guard.protection
    assert told["limits"] is True
    assert set(told) == {"limits", "landlock", "seccomp", "system"}


def test_the_filter_is_a_program_that_ends() -> None:
    """Every jump lands inside, and the last step is an answer."""
    for machine in ("x86_64", "aarch64"):
        code = confining.program(machine)
        steps = [(code[at] | code[at + 1] << 8, code[at + 2], code[at + 3]) for at in range(0, len(code), 8)]
        assert len(steps) < 4096
        assert steps[-1][0] == 0x06
        for place, (kind, then, other) in enumerate(steps):
            if kind & 7 == 5:
                assert max(place + 1 + then, place + 1 + other) < len(steps)


def test_only_libraries_can_be_read() -> None:
    for place in confining.readable():
        assert place.exists()
        assert place != Path("/")
        assert place not in Path("/etc/passwd").parents


def test_a_worker_is_replaced_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with Guard() as guard:
        guard.protection  # noqa: B018 - waits until it has begun
        first = guard.processes
        worker = guard._free.get()
        worker.left = 1  # the end of its life is near
        heir = worker.heir()
        assert heir is worker
        assert worker.next is not None
        worker.left = 0
        heir = worker.heir()
        guard._free.put(heir)
        assert guard.processes != first
        assert guard.read(gallery.piece("png").data).shape == gallery.RGB.shape
        assert worker.process.returncode is not None
        assert guard.deaths == 0


def test_one_word_in_the_environment_guards_every_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIGHTLINE_GUARDED", "1")
    monkeypatch.setattr(guarding, "_standing", {})
    (tmp_path / "a.png").write_bytes(gallery.piece("png").data)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), gallery.RGB)
    assert examine(tmp_path / "a.png")["kind"] == "PNG"
    assert decoding.header(gallery.piece("tiff 16").data) == (gallery.ROWS, gallery.COLUMNS)
    assert len(list(decoding.pages(gallery.piece("tiff pages").data))) == 3
    decoding.decoders.cache_clear()
    with pytest.raises(InputError, match="SIGABRT") as caught:
        read_image(b"FAULTY!abort", name="upload")
    assert caught.value.code == "crashed"
    (standing,) = guarding._standing.values()
    assert standing is guarding.standing()
    standing.close()
    decoding.decoders.cache_clear()


@pytest.mark.parametrize("word", ["", "0"])
def test_the_word_can_say_no(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_GUARDED", word)
    monkeypatch.setattr(guarding, "_standing", {})
    assert read_image(gallery.piece("png").data).shape == gallery.RGB.shape
    assert guarding._standing == {}


def test_messages_cross_a_pipe_whole() -> None:
    inwards, outwards = os.pipe()
    body = np.arange(5000, dtype=np.uint16)
    cell.send(outwards, {"a": 1}, body)
    assert cell.receive(inwards) == ({"a": 1}, body.tobytes())
    os.close(outwards)
    assert cell.receive(inwards) is None
    os.close(inwards)


def test_the_other_end_answers_in_plain_words() -> None:
    asked = {
        "do": "read",
        "name": "x",
        "page": 0,
        "at_least": [6, 9],
        "indices": False,
        "quick": False,
        "alpha": False,
        "limits": Limits().plain(),
    }
    told, pixels = cell.answer(asked, gallery.piece("jpeg").data)
    assert told == {"shape": [6, 10, 3], "dtype": "uint8"}
    assert pixels.shape == (6, 10, 3)
    told, _ = cell.answer({**asked, "do": "examine"}, gallery.piece("jpeg").data)
    assert told["told"]["kind"] == "JPEG"
    assert cell.answer(asked, b"?")[0]["code"] == "unknown_format"
    assert cell.answer(asked, gallery._npy(np.array(["a"])))[0]["code"] == "unsupported"


def status(process: int, word: str) -> float:
    """Megabytes, from the kernel."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(word)) / 1024


def seconds(process: int) -> float:
    """Processor time, from the kernel."""
    words = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@LINUX
def test_bombs_are_refused_at_once_and_cost_nothing() -> None:
    assert len(BOMBS) >= 40
    with Guard() as guard:
        for name in ("png", "jpeg", "tiff 16 colour", "webp", "gif", "avif", "jp2", "heic"):  # libraries are loaded
            guard.read(gallery.piece(name).data)
        (process,) = guard.processes
        for name, make in BOMBS.items():
            data = make()
            Path(f"/proc/{process}/clear_refs").write_text("5")
            idle, spent = status(process, "VmRSS"), seconds(process)
            assert code_of(guard, data) in ("too_large", "corrupt", "unknown_format"), name
            assert seconds(process) - spent <= 0.2, name
            assert status(process, "VmHWM") - idle <= 256, name
        assert guard.processes == [process]


@LINUX
def test_damaged_files_are_read_or_refused_in_bounded_time_and_memory() -> None:
    seeds = [piece.data for _, piece in gallery.pieces()]
    slowest = 0.0
    with Guard() as guard:
        for number, data in mutants(seeds, 2000):
            start = time.perf_counter()
            try:
                assert guard.read(data, "m").size
            except InputError as error:
                assert error.code in set(INPUT_CODES) - {"crashed", "too_slow"}, number  # noqa: PT017
            slowest = max(slowest, time.perf_counter() - start)
        assert status(guard.processes[0], "VmHWM") <= 512
    assert slowest <= 4  # seconds of a busy machine; the benchmark holds the sharper figure
