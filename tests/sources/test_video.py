"""Films: every picture at its place and time whichever way it is asked for, and nothing opened but the film."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import pickle
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core.data import open_data, open_stream
from sightline.core.errors import InputError, SettingsError, SightlineError
from sightline.core.image import encode
from sightline.core.splitting import split
from sightline.sources.video import films
from sightline.sources.video.reader import Reader
from tests.sources._filming import SIZE, film, picture

av = pytest.importorskip("av")

CONTAINERS = [
    ("a.mp4", "mp4", "mpeg4", {"g": "8"}),
    ("b.mp4", "mp4", "mpeg4", {"g": "8", "bf": "2"}),
    ("c.mp4", "mp4", "libx264", {"g": "8", "bf": "2", "x264-params": "open-gop=1"}),
    ("d.mkv", "matroska", "libx264", {"g": "8"}),
    ("e.webm", "webm", "libvpx", {"g": "8"}),
    ("f.avi", "avi", "mpeg4", {"g": "8"}),
    ("g.avi", "avi", "mjpeg", {"pixels": "yuvj420p"}),
    ("h.ts", "mpegts", "mpeg2video", {"g": "8", "bf": "2"}),
    ("i.mjpeg", "mjpeg", "mjpeg", {"pixels": "yuvj420p"}),
    ("j.mov", "mov", "mpeg4", {"g": "8", "sound": True}),
]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Twenty-four pictures, ten a second, a key every eighth."""
    return film(tmp_path / "clip.mp4", g="8")  # type: ignore[no-any-return]


def place(folder: Path) -> str:
    """A small film, for the contract of all sources."""
    return str(film(folder / "a.mp4", count=12, g="4"))


def everything(where: object) -> list[np.ndarray]:
    return [sample.pixels() for sample in open_data(where)]


def refused(where: object, code: str) -> str:
    with pytest.raises(SightlineError) as caught:
        everything(where)
    assert caught.value.code == code, caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.message


def alike(pixels: np.ndarray, number: int) -> float:
    """How far, on average, decoded pixels are from the picture of this number."""
    return float(np.abs(pixels.astype(int) - picture(number)).mean())


@pytest.mark.parametrize(("name", "container", "codec", "options"), CONTAINERS)
def test_any_picture_is_the_same_in_any_order(
    tmp_path: Path, name: str, container: str, codec: str, options: dict[str, Any]
) -> None:
    film(tmp_path / name, container, codec, **options)
    data = open_data(tmp_path / name)  # natural by name and bytes
    assert len(data) == 24
    in_order = [sample.pixels() for sample in data]
    for number, pixels in enumerate(in_order):
        assert pixels.shape == (*SIZE, 3)
        assert alike(pixels, number) < min(alike(pixels, other) for other in range(24) if abs(other - number) > 1)
    again = open_data(f"video:{tmp_path / name}")
    films.HELD, held = 0, films.HELD
    try:
        for row in np.random.default_rng(3).permutation(24).tolist():
            assert np.array_equal(again[row].pixels(), in_order[row]), row
    finally:
        films.HELD = held


def test_what_a_sample_of_a_film_says(clip: Path) -> None:
    data = open_data(clip)
    sample = data[13]
    assert (sample.id, sample.group, data.kind) == ("clip.mp4#000013", "clip.mp4", None)
    assert sample.attributes == {"video": "clip.mp4", "frame": 13, "time": pytest.approx(1.3)}
    assert data[-1].id == "clip.mp4#000023"
    assert sample.image.fingerprint() == open_data(clip)[13].image.fingerprint()
    assert len({one.image.fingerprint() for one in data}) == 24
    assert np.array_equal(pickle.loads(pickle.dumps(sample.image)).read(), sample.pixels())
    with pytest.raises(ValueError):
        sample.pixels()[0] = 1  # shared by all who ask


def test_nothing_is_decoded_before_it_is_asked_for(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any) -> Iterator[Any]:
        raise AssertionError

    monkeypatch.setattr(Reader, "frames", forbidden)
    data = open_data(clip)
    assert [sample.attributes["time"] for sample in data][:2] == [0.0, pytest.approx(0.1)]


def test_decoding_begins_near_what_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film(tmp_path / "long.mp4", count=200, g="10")
    decoded = []
    frames = Reader.frames

    def counted(self: Reader) -> Iterator[Any]:
        for frame in frames(self):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(Reader, "frames", counted)
    data = open_data(tmp_path / "long.mp4")
    data[195].pixels()
    assert len(decoded) <= 8
    data[196].pixels()
    assert len(decoded) <= 9  # the next one needs nothing again
    data[42].pixels()
    assert len(decoded) <= 14
    data[42].pixels()  # kept
    data[155].pixels()  # not by way of all between
    assert len(decoded) <= 23


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ("every=5", [0, 5, 10, 15, 20]),
        ("start=0.5&stop=0.9", [5, 6, 7, 8]),
        ("fps=2", [0, 5, 10, 15, 20]),
        ("fps=4&start=1", [10, 13, 15, 18, 20, 23]),
        ("fps=100", list(range(24))),
        ("every=2&start=1.95", [20, 22]),
    ],
)
def test_which_pictures_are_taken(clip: Path, words: str, chosen: list[int]) -> None:
    where = f"video:{clip}?{words}"
    assert [sample.attributes["frame"] for sample in open_data(where)] == chosen
    with open_stream(where) as stream:  # a stream takes the same
        assert [shot.attributes["frame"] for shot in stream] == chosen


def test_settings_are_checked(clip: Path) -> None:
    for words, said in (
        ("evry=5", "Did you mean 'every'"),
        ("every=0", "every is 1 or more"),
        ("start=2&stop=1", "start lies before stop"),
        ("fps=2&every=2", "not both"),
        ("fps=x", "fps"),
    ):
        with pytest.raises(SettingsError, match=said):
            open_data(f"video:{clip}?{words}")
    assert "lasts 2.3 s" in refused(f"video:{clip}?start=9", "empty")


def test_many_films_are_groups_that_splits_keep_whole(tmp_path: Path) -> None:
    for name in ("a/1.mp4", "a/2.mp4", "b/1.mp4", "3.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        film(tmp_path / name, count=6)
    data = open_data(tmp_path)  # films and no pictures: natural
    assert len(data) == 24
    assert [data[row].id for row in (0, 6, 23)] == ["3.mp4#000000", "a/1.mp4#000000", "b/1.mp4#000005"]
    sides: dict[str, set[str | None]] = {}
    for sample in split(data, val=0.25, test=0.25):
        sides.setdefault(str(sample.group), set()).add(sample.split)
    assert len(sides) == 4
    assert all(len(found) == 1 for found in sides.values())
    assert len(open_data(f"video:{tmp_path}/a/*.mp4")) == 12
    assert "holds no films" in refused(f"video:{tmp_path}/*.avi", "empty")


def test_few_films_are_open_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "OPEN", 2)
    for number in range(6):
        film(tmp_path / f"{number}.mp4", count=3)
    data = open_data(f"video:{tmp_path}")
    for sample in data:
        sample.pixels()
    shelf = data[0].image.shelf  # type: ignore[attr-defined]
    assert sum(one._reader is not None or bool(one._held) for one in shelf.films) <= 2
    assert sum(one.source._handle >= 0 for one in shelf.films) <= 2
    data[0].image.fingerprint()
    assert sum(one.source._handle >= 0 for one in shelf.films) <= 2


def test_a_film_that_changes_under_way_is_noticed(tmp_path: Path) -> None:
    data = open_data(film(tmp_path / "a.mp4", count=3))
    film(tmp_path / "a.mp4", count=4)
    with pytest.raises(InputError, match="has changed since"):
        data[0].pixels()


def test_films_among_pictures_are_not_taken_for_the_whole(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", count=3)
    (tmp_path / "b.png").write_bytes(encode(picture(1)))
    assert [sample.id for sample in open_data(tmp_path)] == ["b.png"]
    assert len(open_data(f"video:{tmp_path}")) == 3


def test_pictures_kept_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "HELD", 5 * SIZE[0] * SIZE[1] * 3)
    data = open_data(film(tmp_path / "a.mp4"))
    for sample in data:
        sample.pixels()
    assert len(data[0].image.shelf.films[0]._held) == 5  # type: ignore[attr-defined]


def test_threads_ask_at_once(clip: Path) -> None:
    data = open_data(clip)
    whole = [sample.pixels() for sample in open_data(clip)]
    order = np.random.default_rng(1).integers(0, 24, 60).tolist()
    with ThreadPoolExecutor(6) as pool:
        for row, pixels in zip(order, pool.map(lambda row: data[row].pixels(), order), strict=True):
            assert np.array_equal(pixels, whole[row])


@pytest.mark.parametrize(("turned", "corner"), [(90, (-1, 0)), (180, (-1, -1)), (270, (0, -1)), (0, (0, 0))])
def test_films_are_upright(tmp_path: Path, turned: int, corner: tuple[int, int]) -> None:
    pixels = open_data(film(tmp_path / "a.mp4", turned=turned, count=1))[0].pixels()
    assert pixels.shape[:2] == (SIZE if turned % 180 == 0 else SIZE[::-1])
    rows, columns = (slice(0, 6) if side == 0 else slice(-6, None) for side in corner)
    assert pixels[rows, columns].mean() < 20  # the dark corner has gone round against the clock
    assert pixels.mean() > 60


def test_bits_and_channels_are_kept(tmp_path: Path) -> None:
    deep = open_data(film(tmp_path / "a.mkv", "matroska", "ffv1", 2, pixels="yuv444p10le"))[0].pixels()
    assert (deep.dtype, deep.shape) == (np.uint16, (*SIZE, 3))
    assert deep.max() > 30000
    gray = open_data(film(tmp_path / "b.mkv", "matroska", "ffv1", 2, pixels="gray16le"))[0].pixels()
    assert (gray.dtype, gray.shape) == (np.uint16, (*SIZE, 1))
    exact = open_data(film(tmp_path / "c.mkv", "matroska", "ffv1", 3, pixels="bgr0"))[2].pixels()
    assert np.array_equal(exact, picture(2))


def test_a_film_cut_short_is_not_returned_as_whole(tmp_path: Path) -> None:
    for name, container, codec, flags in (
        ("a.mp4", "mp4", "mpeg4", {"movflags": "faststart"}),
        ("b.mkv", "matroska", "mpeg4", {}),
        ("c.avi", "avi", "mpeg4", {}),
        ("d.mov", "mov", "mpeg4", {}),
        ("e.mjpeg", "mjpeg", "mjpeg", {"pixels": "yuvj420p"}),
    ):
        film(tmp_path / name, container, codec, **flags)
        whole = (tmp_path / name).read_bytes()
        for share in (0.3, 0.6, 0.9, 0.99):
            (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(InputError) as caught:
                everything(f"video:{tmp_path / name}")
            assert caught.value.code in ("truncated", "corrupt"), name


def test_the_part_that_is_there_can_be_asked_for(tmp_path: Path) -> None:
    film(tmp_path / "b.mkv", "matroska", "mpeg4", g="8")
    whole = (tmp_path / "b.mkv").read_bytes()
    (tmp_path / "b.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    data = open_data(f"video:{tmp_path / 'b.mkv'}?partial=true")
    assert 8 <= len(data) < 24
    assert alike(data[5].pixels(), 5) < 12
    with open_stream(f"video:{tmp_path / 'b.mkv'}?partial=true") as stream:
        assert len(list(stream)) >= 8


def test_damage_gives_pictures_or_a_typed_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    for name, container, codec in (
        ("a.mp4", "mp4", "mpeg4"),
        ("b.mkv", "matroska", "libx264"),
        ("c.avi", "avi", "mpeg4"),
    ):
        whole = film(io.BytesIO(), container, codec, 8).getvalue()
        for _ in range(40):
            data = bytearray(whole)
            for place in rng.integers(0, len(data), 3):
                data[place] = int(rng.integers(256))
            (tmp_path / name).write_bytes(data)
            try:
                for sample in open_data(f"video:{tmp_path / name}"):
                    sample.pixels()
            except SightlineError:
                pass


def test_pictures_beyond_the_limit_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline.sources.video.reader.LARGEST_PICTURE", 1000)
    refused(film(tmp_path / "a.mp4"), "corrupt")  # the library says no more than that
    monkeypatch.undo()
    monkeypatch.setattr(films, "MOST", 10)
    assert "more than 10" in refused(film(tmp_path / "a.mp4"), "too_large")


def test_a_film_as_a_stream(clip: Path) -> None:
    with open_stream(clip, queue=2) as stream:
        shots = list(stream)
    assert [shot.number for shot in shots] == list(range(24))
    assert shots[7].time == pytest.approx(0.7)
    assert shots[7].sample().group == "clip.mp4"
    assert np.array_equal(shots[7].pixels(), open_data(clip)[7].pixels())


def test_a_film_at_its_own_pace(clip: Path) -> None:
    begun = time.monotonic()
    with open_stream(f"video:{clip}?pace=4&stop=1.2", drop="block") as stream:
        assert len(list(stream)) == 12
    assert time.monotonic() - begun > 1.1 / 4


# ------------------------------------------------------------------------------------------------------- hostile files


TYPED = {"unknown_format", "corrupt", "truncated", "empty", "ambiguous", "unsupported"}


class Watcher:
    """Hears of every file of a folder that this process opens, also from C; and of every connection to a port."""

    def __init__(self, folder: Path) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.handle = self.libc.inotify_init1(os.O_NONBLOCK)
        assert self.handle >= 0
        assert self.libc.inotify_add_watch(self.handle, os.fsencode(folder), 0x20) >= 0  # IN_OPEN
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.setblocking(False)
        self.port = self.server.getsockname()[1]

    def heard(self) -> int:
        """How many opens and connections since the last time."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            count += len(os.read(self.handle, 2**16))
        try:
            while True:
                self.server.accept()[0].close()
                count += 1
        except BlockingIOError:
            return count

    def close(self) -> None:
        os.close(self.handle)
        self.server.close()


def hostile(canary: Path, port: int) -> dict[str, bytes]:
    """Files that lead a careless reader to open the canary, or to connect."""
    web = f"http://127.0.0.1:{port}/a.ts"
    reference = canary.read_bytes()
    texts = {
        "concat.mp4": f"ffconcat version 1.0\nfile '{canary}'\n",
        "concat.ffconcat": f"ffconcat version 1.0\nfile '{canary}'\n",
        "concat-relative.mp4": f"ffconcat version 1.0\nfile {canary.name}\n",
        "concat-web.mp4": f"ffconcat version 1.0\nfile {web}\n",
        "concat-option.mp4": f"ffconcat version 1.0\nfile '{canary}'\noption safe 0\n",
        "concat-bom.mp4": f"\ufeffffconcat version 1.0\nfile '{canary}'\n",
        "concat-data.mp4": "ffconcat version 1.0\nfile data:text/plain;base64,AAAA\n",
        "concat-sub.mp4": f"ffconcat version 1.0\nfile 'subfile,,start,0,end,0,,:{canary}'\n",
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{canary}\n#EXT-X-ENDLIST\n",
        "list-web.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{web}\n#EXT-X-ENDLIST\n",
        "list-file.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{canary}\n#EXT-X-ENDLIST\n",
        "list-key.ts": f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{canary}"\n#EXTINF:1,\n{web}\n',
        "list-map.mov": f'#EXTM3U\n#EXT-X-MAP:URI="{canary}"\n#EXTINF:1,\n{web}\n',
        "list-concat.mp4": f"#EXTM3U\n#EXTINF:1,\nconcat:{canary}|{canary}\n#EXT-X-ENDLIST\n",
        "list-gopher.mp4": f"#EXTM3U\n#EXTINF:1,\ngopher://127.0.0.1:{port}/\n#EXT-X-ENDLIST\n",
        "dash.mpd": f"<?xml version='1.0'?><MPD><Period><BaseURL>{canary}</BaseURL></Period></MPD>",
        "dash.mp4": f"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><Period><BaseURL>{web}</BaseURL></Period></MPD>",
        "talk.sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\n",
        "talk.mp4": f"v=0\ns=x\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "real.mov": f"rtsptextrtsp://127.0.0.1:{port}/a\n",
        "real.avi": f"[Reference]\nRef1={web}\n",
        "smooth.mp4": f"<SmoothStreamingMedia><StreamIndex Url='{web}'/></SmoothStreamingMedia>",
        "picture.mp4": f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{canary}'/></svg>",
        "vob.mp4": f"# VobSub index file, v7\nid: en, index: 0\n{canary}\n",
        "image.mp4": f"{canary.parent}/%d.mp4\n",
    }
    whole = {name: text.encode() for name, text in texts.items()}
    whole["reference.mov"] = referring(reference, canary)
    whole["first-line.ts"] = texts["concat.mp4"].encode().ljust(188, b"#") * 4
    whole["box.mp4"] = b"\0\0\0\x18ftypisom" + texts["concat.mp4"].encode()
    whole["box-list.mov"] = b"\0\0\0\x08wide" + texts["list-web.mp4"].encode()
    whole["riff.avi"] = b"RIFF\xff\xff\0\0AVI " + texts["concat.mp4"].encode()
    whole["ebml.mkv"] = b"\x1a\x45\xdf\xa3\x80" + texts["list-web.mp4"].encode()
    return whole


def referring(whole: bytes, other: Path) -> bytes:
    """The same film, whose track says that its pictures lie in another file."""
    path = os.fsencode(other) + b"\0" * (len(os.fsencode(other)) % 2)
    alias = bytes(38) + bytes(12) + bytes([len(other.name)]) + other.name.encode().ljust(63, b"\0") + bytes(16)
    alias += b"\0\1\0\1" + bytes(16) + b"\0\2" + len(path).to_bytes(2, "big") + path + b"\xff\xff\0\0"
    entry = (12 + len(alias)).to_bytes(4, "big") + b"alis" + bytes(4) + alias
    data = bytearray(whole)
    place = data.index(b"url ", data.index(b"dref")) - 4
    assert data[place : place + 4] == b"\0\0\0\x0c"
    data[place : place + 12] = entry
    for box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        size = data.rindex(box, 0, place) - 4
        data[size : size + 4] = (int.from_bytes(data[size : size + 4], "big") + len(entry) - 12).to_bytes(4, "big")
    return bytes(data)


def outcome(read: Any, where: object) -> str:
    """`read`, or the code of the one typed error."""
    try:
        for one in read(where):
            one.pixels()
    except SightlineError as error:
        return error.code
    return "read"


def test_hostile_films_open_nothing_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    canary = film(secret / "canary.mp4", count=3)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    watcher = Watcher(secret)
    opened: list[str] = []
    hearing = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if hearing and (event == "socket.connect" or (event == "open" and str(arguments[0]).startswith(str(secret)))):
            opened.append(event)

    files = hostile(canary, watcher.port)
    assert len(files) >= 30
    watcher.heard()
    try:
        # The trap works: a careless reader walks into it.
        (inbox / "proof.ffconcat").write_bytes(files["concat-option.mp4"].replace(b"option safe 0\n", b""))
        with av.open(str(inbox / "proof.ffconcat"), options={"safe": "0"}) as proof:
            next(proof.decode(video=0))
        assert watcher.heard()
        sys.addaudithook(hook)
        for name, data in files.items():
            (inbox / name).write_bytes(data)
            for read in (open_data, open_stream):
                for where in (f"video:{inbox / name}", inbox / name):
                    assert outcome(read, where) in ({"read"} if name == "reference.mov" else set()) | TYPED, name
            assert watcher.heard() == 0, name
        for word in ("rtsp://127.0.0.1/a", f"subfile,,start,0,end,0,,:{canary}", f"concat:{canary}", "data:,x"):
            with pytest.raises(SightlineError):
                open_data(f"video:{word}")
            with pytest.raises(SightlineError):
                open_data(word)
        assert watcher.heard() == 0
        assert opened == []
    finally:
        hearing = False
        watcher.close()


@pytest.mark.parametrize("mistaken", ["concat", "hls", "sdp"])
def test_the_other_fences_hold_where_the_first_falls(
    tmp_path: Path, mistaken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were a playlist ever taken for a film, the demuxer would still not be let in."""
    (tmp_path / "secret").mkdir()
    canary = film(tmp_path / "secret" / "canary.mp4", count=3)
    watcher = Watcher(canary.parent)
    monkeypatch.setattr("sightline.sources.video.containers.kind", lambda source: mistaken)
    try:
        for name, data in hostile(canary, watcher.port).items():
            (tmp_path / name).write_bytes(data)
            watcher.heard()
            assert outcome(open_data, f"video:{tmp_path / name}?partial=true") in TYPED, name
            assert watcher.heard() == 0, name
    finally:
        watcher.close()


def test_what_a_demuxer_asks_for_is_refused(tmp_path: Path) -> None:
    from sightline.sources._bytes import FileBytes

    reader = Reader(FileBytes(film(tmp_path / "a.mp4", count=2)))
    with pytest.raises(InputError, match="none is opened"):
        reader._refuse("/etc/passwd", 0, {})
    reader.close()


def test_devices_pipes_and_sound_are_no_films(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    refused(f"video:{tmp_path / 'pipe.mp4'}", "missing")
    refused("video:/dev/null", "missing")
    refused("video:", "missing")
    refused(f"video:{tmp_path / 'gone.mp4'}", "missing")
    with av.open(str(tmp_path / "sound.mp4"), "w") as made:
        tone = made.add_stream("aac", rate=16000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 16000
        made.mux(tone.encode(silence))
        made.mux(tone.encode())
    assert "holds no pictures" in refused(tmp_path / "sound.mp4", "unsupported")
