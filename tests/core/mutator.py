"""Damage with a seed: what disks, networks and enemies do to a file, the same on every run."""

import random
import zlib
from collections.abc import Callable, Iterator, Sequence

WORDS = (b"\0", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xd9", b"\xff\xda")


def flip(data: bytearray, chance: random.Random) -> None:
    """One bit, or a few."""
    for _ in range(chance.choice((1, 1, 2, 8))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def scribble(data: bytearray, chance: random.Random) -> None:
    """A few bytes of nonsense."""
    place = chance.randrange(len(data))
    some = chance.randbytes(chance.choice((1, 2, 4, 16)))
    data[place : place + len(some)] = some


def overwrite(data: bytearray, chance: random.Random) -> None:
    """A number at the end of its range, most often near the beginning."""
    place = chance.randrange(min(len(data), chance.choice((32, 128, 10**6))))
    word = chance.choice(WORDS)
    data[place : place + len(word)] = word


def cut(data: bytearray, chance: random.Random) -> None:
    """The end is missing."""
    del data[chance.randrange(1, len(data)) :]


def drop(data: bytearray, chance: random.Random) -> None:
    """A part is missing."""
    place = chance.randrange(len(data))
    del data[place : place + chance.choice((1, 4, 64))]


def repeat(data: bytearray, chance: random.Random) -> None:
    """A part comes twice."""
    place = chance.randrange(len(data))
    part = data[place : place + chance.choice((4, 64, 512))]
    data[place:place] = part * chance.choice((1, 2, 8))


def swap(data: bytearray, chance: random.Random) -> None:
    """Two parts change places."""
    size = chance.choice((2, 8, 64))
    one, two = sorted((chance.randrange(len(data)), chance.randrange(len(data))))
    if two + size <= len(data) and one + size <= two:
        data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip, flip, scribble, overwrite, overwrite, cut, drop, repeat, swap,
)  # fmt: skip


def mend(data: bytearray) -> None:
    """Right checksums for the damaged chunks of a PNG, so that its decoder gets to see the damage."""
    place = 8
    while place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        if end > len(data):
            return
        data[end - 4 : end] = zlib.crc32(data[place + 4 : end - 4]).to_bytes(4, "big")
        place = end


def mutate(data: bytes, seed: int) -> bytes:
    """The same damage for the same seed."""
    chance = random.Random(seed)
    held = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if len(held) > 2:
            chance.choice(WAYS)(held, chance)
    if held[:4] == b"\x89PNG" and chance.random() < 0.6:
        mend(held)
    return bytes(held)


def mutants(seeds: Sequence[bytes], count: int, first: int = 0) -> Iterator[tuple[int, bytes]]:
    """This many damaged files, each with its number; `mutate(seeds[number % len(seeds)], number)` makes it again."""
    for number in range(first, first + count):
        yield number, mutate(seeds[number % len(seeds)], number)
