"""Bodies with caps."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.http import TooLarge
from cgsync.http.body import Expansion

TEXT = b"a ticket " * 100


def expand(body: bytes, encoding: str, *, limit: int, piece: int = 7) -> bytes:
    """The whole body, fed in pieces of that many bytes."""
    expansion = Expansion(encoding, limit=limit)
    for start in range(0, len(body), piece):
        expansion.feed(body[start : start + piece])
    return expansion.finish()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:])),
        ("gzip", gzip.compress(TEXT) + b"\0\0padding"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[2:-4]),
    ],
    ids=["gzip", "its old name", "two members", "padded", "deflate", "without its header"],
)
@pytest.mark.parametrize("piece", [1, 2, 100_000])
def test_known_encodings(encoding: str, body: bytes, piece: int) -> None:
    assert expand(body, encoding, limit=len(TEXT), piece=piece) == TEXT


def test_a_bomb_stops_at_the_cap() -> None:
    with pytest.raises(TooLarge, match="more than 1000 bytes"):
        expand(gzip.compress(b"\0" * 50_000_000), "gzip", limit=1_000, piece=65_536)


def test_several_members_stop_at_the_cap_together() -> None:
    with pytest.raises(TooLarge):
        expand(gzip.compress(TEXT) * 3, "gzip", limit=2 * len(TEXT))


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_garbage_is_an_error_of_ours_or_small(body: bytes, encoding: str) -> None:
    with contextlib.suppress(ValueError, TooLarge):
        assert len(expand(body, encoding, limit=100)) <= 100


def test_a_cut_stream_is_an_error() -> None:
    with pytest.raises(ValueError, match="broken gzip"):
        expand(gzip.compress(TEXT)[:-12], "gzip", limit=10_000)
