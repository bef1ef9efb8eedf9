"""Forms: the same parts however the bytes are cut, and one typed refusal for whatever is no form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ServingError
from sightline.server.multipart import Part, Reader, boundary_of


def form(parts: list[Part], mark: str = "b0") -> bytes:
    made = b""
    for part in parts:
        file = '; filename="a.jpg"\r\nContent-Type: image/jpeg' if part.file else ""
        made += f'--{mark}\r\nContent-Disposition: form-data; name="{part.name}"{file}\r\n\r\n'.encode()
        made += part.data + b"\r\n"
    return made + f"--{mark}--\r\n".encode()


def read(data: bytes, sizes: list[int], most: int = 16) -> list[Part]:
    reader, place = Reader(b"b0", most), 0
    for size in [*sizes, len(data)]:
        reader.feed(data[place : place + size])
        place += size
    return reader.close()


@given(
    st.lists(st.tuples(st.sampled_from(["picture", "top", "x"]), st.booleans(), st.binary(max_size=80)), max_size=5),
    st.lists(st.integers(0, 40), max_size=20),
)
def test_parts_come_out_as_they_went_in_however_they_are_cut(
    rows: list[tuple[str, bool, bytes]], sizes: list[int]
) -> None:
    parts = [Part(*row) for row in rows if b"--b0" not in row[2]]
    data = form(parts)
    assert read(data, sizes) == parts
    assert read(data, [1] * len(data)) == parts


def test_data_that_looks_like_a_boundary_is_data() -> None:
    parts = [Part("a", True, b"\r\n--b\r\n--b1\r\n-b0--\r\n\r\n--"), Part("b", True, b"--b0--")]
    assert read(form(parts), [7] * 40) == parts


def test_what_comes_before_and_after_is_left_out() -> None:
    data = b"preamble\r\n" + form([Part("a", False, b"1")]) + b"epilogue --b0\r\n\r\n"
    assert read(data, [3] * 90) == [Part("a", False, b"1")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "schema"),
        (b"--b0", "schema"),
        (b"--b0\r\n", "schema"),
        (b'--b0\r\nContent-Disposition: form-data; name="a"\r\n\r\nhalf', "schema"),
        (b"x" * 5000, "schema"),
        (b"--b0zz\r\n\r\n\r\n--b0--", "schema"),
        (b"--b0\r\n" + b"X-Long: " + b"y" * 5000, "body"),
        (b"--b0\r\nContent-Disposition: attachment\r\n\r\n\r\n--b0--", "schema"),
        (b"--b0\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n--b0--", "schema"),
        (form([Part("a", True, b"")] * 17), "body"),
    ],
)
def test_what_is_no_form_is_refused(data: bytes, code: str) -> None:
    for sizes in ([], [1] * min(len(data), 6000)):
        with pytest.raises(ServingError) as error:
            read(data, sizes)
        assert error.value.code == code


def test_a_hundred_thousand_parts_are_refused_before_they_are_read() -> None:
    data = form([Part("a", True, b"")] * 1000)
    reader = Reader(b"b0", 16)
    pieces = [data[place : place + 1000] for place in range(0, len(data), 1000)]
    with pytest.raises(ServingError):
        list(map(reader.feed, pieces))
    assert len(reader.parts) == 16


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('multipart/form-data; charset=utf-8; boundary="a b c"', b"a b c"),
        ("multipart/form-data; Boundary=x--y; q=1", b"x--y"),
    ],
)
def test_the_boundary_is_found(said: str, mark: bytes) -> None:
    assert boundary_of(said) == mark


@pytest.mark.parametrize("said", ["multipart/form-data", "multipart/form-data; boundary=", f"m/f; boundary={'x' * 71}"])
def test_a_form_without_a_boundary_is_refused(said: str) -> None:
    with pytest.raises(ServingError):
        boundary_of(said)
