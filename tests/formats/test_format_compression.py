"""What is packed is unpacked as far as the caps allow, and what is broken is refused in words."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.formats import Body, Malformed, decode_body, decode_settings

LINES = b'{"n":1}\n{"n":2}\n'


def read(body: bytes, *, decompressed: int = 256 * 1024 * 1024, **options: Any) -> Body:
    return decode_body(body, decode_settings(options, limits={"decompressed": decompressed}))


def refusal(body: bytes, **options: Any) -> str:
    with pytest.raises(Malformed) as caught:
        read(body, **options)
    return str(caught.value)


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as written:
        for name, content in members.items():
            written.writestr(name, content)
    return packed.getvalue()


def bare(body: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return machine.compress(body) + machine.flush()


@pytest.mark.parametrize(
    ("packed", "options", "kind"),
    [
        (LINES, {}, "none"),
        (gzip.compress(LINES), {}, "gzip"),
        (gzip.compress(LINES[:8]) + gzip.compress(LINES[8:]) + b"\0" * 100, {}, "gzip"),
        (archive({"a.txt": LINES}), {}, "zip"),
        (archive({"a.txt": LINES}, zipfile.ZIP_STORED), {"compression": "zip"}, "zip"),
        (zlib.compress(LINES), {"compression": "deflate"}, "deflate"),
        (bare(LINES), {"compression": "deflate"}, "deflate"),
    ],
)
def test_what_is_packed_is_unpacked_and_said(packed: bytes, options: dict[str, Any], kind: str) -> None:
    body = read(packed, **options)
    assert (body.document, body.format, body.compression) == ([{"n": 1}, {"n": 2}], "jsonl", kind)


def test_without_compression_gzip_is_no_json() -> None:
    assert refusal(gzip.compress(LINES), compression="none", format="json") == "expected JSON, got gzip"


@pytest.mark.parametrize(
    ("packed", "options", "words"),
    [
        (gzip.compress(LINES)[:-9], {}, "what is compressed ends in the middle (was it cut short on its way?)"),
        (zlib.compress(LINES)[:-6], {"compression": "deflate"}, "what is compressed ends in the middle"),
        (gzip.compress(LINES)[:-8] + b"12345678", {}, "the compression is broken: CRC check failed"),
        (gzip.compress(LINES)[:10] + b"\xff" * 50, {}, "the compression is broken"),
        (LINES, {"compression": "gzip"}, "the compression is broken: Not a gzipped file (b'{\"'); got \"{"),
        (b"\xff" * 50, {"compression": "deflate"}, "the compression is broken"),
        (LINES, {"compression": "zip"}, "the ZIP archive is broken: File is not a zip file"),
        (b"", {"compression": "deflate"}, "what is compressed ends in the middle"),
        (archive({"a": LINES})[:-30], {}, "the ZIP archive is broken"),
        (archive({}), {}, "the ZIP archive holds no file '*'"),
        (archive({"a": LINES}, zipfile.ZIP_BZIP2), {}, "'a' in the ZIP archive is compressed in a way"),
        (archive({"[Content_Types].xml": b"x", "b": b"c"}), {}, "expected data, got a spreadsheet"),
        (archive({"a.csv": b"x", "b.txt": b"y"}), {"member": "*.xml"}, "no file '*.xml' (it holds 'a.csv', 'b.txt')"),
    ],
)  # fmt: skip
def test_what_is_broken_is_refused_in_words(packed: bytes, options: dict[str, Any], words: str) -> None:
    assert words in refusal(packed, **options)


def test_an_encrypted_file_is_refused() -> None:
    packed = bytearray(archive({"a.csv": b"a,b\n1,2\n"}))
    packed[6] |= 1  # in the local header, and in the directory
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    assert "'a.csv' in the ZIP archive is encrypted" in refusal(bytes(packed))


BLANKS = b" " * 20_000_000
BOMBS = {
    "gzip": (gzip.compress(BLANKS), {}),
    "zip": (archive({"a": BLANKS}), {}),
    "many in a zip": (archive({str(number): b" " * 500_000 for number in range(100)}), {}),
    "deflate": (zlib.compress(BLANKS), {"compression": "deflate"}),
    "gzip in pieces": (gzip.compress(b" " * 500_000) * 40, {}),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_by_its_ratio(bomb: str) -> None:
    packed, options = BOMBS[bomb]
    assert refusal(packed, **options) == "it expands to more than 250 times its size, as only a bomb does"


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_by_the_limit(bomb: str) -> None:
    packed, options = BOMBS[bomb]
    words = "it expands to more than 1000000 bytes (raise the limit if that is right)"
    assert refusal(packed, decompressed=1_000_000, **options) == words


def test_a_size_that_an_archive_lies_about_does_not_matter() -> None:
    packed = bytearray(archive({"a": BLANKS}))
    place = packed.index(b"PK\x01\x02") + 24
    packed[place : place + 4] = (10).to_bytes(4, "little")
    assert "the ZIP archive is broken: " in refusal(bytes(packed))


def test_names_of_an_archive_are_labels_and_no_places() -> None:
    packed = archive({"../../etc/passwd": b"a,b\n1,2\n", "/abs": b"a,b\n3,4\n", "C:\\x": b"a,b\n5,6\n"})
    assert read(packed).document == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}, {"a": "5", "b": "6"}]


def test_several_files_are_read_one_after_another() -> None:
    packed = archive(
        {"1.csv": b"a,b\n1,2\n", "2.json": b'{"x":1}', "3.csv": b"a,b\n3\n", "__MACOSX/1.csv": b"?", "d/": b""}
    )
    body = read(packed)
    assert body.document == [{"a": "1", "b": "2"}, {"x": 1}]
    assert [reject.reason for reject in body.rejects] == ["3.csv: 1 field, the table has 2 columns"]
    assert read(packed, member="2.*").document == {"x": 1}


def test_a_file_that_is_wrong_is_named() -> None:
    assert refusal(archive({"1.csv": b"a,b\n", "2.json": b"<html>"})).startswith(
        "'2.json': expected JSON, got an HTML page"
    )


def test_an_archive_of_very_many_files_is_refused() -> None:
    assert "holds 2000 files, at most 1000" in refusal(archive({str(number): b"" for number in range(2000)}))


@given(
    body=st.binary(max_size=200),
    at=st.integers(0, 200),
    flip=st.integers(1, 255),
    kind=st.sampled_from(["gzip", "zip"]),
)
def test_a_flipped_bit_is_noticed_or_harmless(body: bytes, at: int, flip: int, kind: str) -> None:
    packed = bytearray(gzip.compress(body) if kind == "gzip" else archive({"a": body}))
    packed[at % len(packed)] ^= flip
    try:
        document = read(bytes(packed), format="text", text="whole", encoding="latin-1", compression=kind).document
    except Malformed:
        return
    whole = body.decode("latin-1").replace("\0", "")
    assert document == ([{"text": whole}] if whole.strip() else [])
