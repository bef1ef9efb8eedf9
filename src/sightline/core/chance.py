"""Chance without hidden state: every draw is a pure function of named numbers."""

from __future__ import annotations

import hashlib

import numpy as np


def seed_from(*parts: int | str) -> int:
    """A 63-bit seed that depends on every part and on their order, the same on every machine."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little") >> 1


def generator(*parts: int | str) -> np.random.Generator:
    """A fresh generator for these parts."""
    return np.random.Generator(np.random.PCG64(seed_from(*parts)))
