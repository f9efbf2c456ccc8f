"""An answer cut at any byte is no answer, however it was framed and packed; one that is whole is read, however it was packed."""

import gzip
import os
import zlib
from collections.abc import Callable

import pytest

from portal.ehr.http import Failure, Limits, Wire
from portal.ehr.unpacking import PIECE, NotWhole, Unpacking

from .hostile import Hostile, Say

BODY = b'{"resourceType": "Patient", "id": "p1", "text": "' + os.urandom(30).hex().encode() + b'"}'
QUICK = Limits(connect=0.5, read=2, total=3)
Packing = Callable[[bytes], bytes]


def raw_deflate(content: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(content) + packing.flush()


def members(content: bytes) -> bytes:
    return gzip.compress(content[:20]) + gzip.compress(content[20:])


PACKINGS: dict[str, tuple[str, Packing]] = {
    "plain": ("", bytes),
    "gzip": ("gzip", gzip.compress),
    "gzip in two members": ("x-gzip", members),
    "deflate": ("deflate", zlib.compress),
    "deflate without zlib": ("Deflate", raw_deflate),
    "deflate, then gzip": ("deflate, gzip", lambda content: gzip.compress(zlib.compress(content))),
}


def by_length(encoding: str, packed: bytes) -> bytes:
    return _head(encoding, f"Content-Length: {len(packed)}") + packed


def in_chunks(encoding: str, packed: bytes) -> bytes:
    pieces = (packed[at : at + 50] for at in range(0, len(packed), 50))
    chunks = b"".join(f"{len(piece):04x};x=y\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return _head(encoding, "Transfer-Encoding: chunked") + chunks + b"0000\r\n\r\n"


def _head(encoding: str, framing: str) -> bytes:
    named = f"Content-Encoding: {encoding}\r\n" if encoding else ""
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n{named}{framing}\r\n\r\n".encode()


FRAMINGS = {"by its length": by_length, "in chunks": in_chunks}


def ask(server: Hostile, raw: bytes) -> tuple[Failure | None, bytes]:
    server.on["POST /fhir"] = Say(raw=raw)
    answer = Wire(server.base).send("POST", server.base, body=b"{}", limits=QUICK, fresh=True)
    return answer.failure, answer.body


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("packing", PACKINGS)
def test_cut_at_any_byte_it_is_no_answer_and_whole_it_is_read(server: Hostile, framing: str, packing: str) -> None:
    encoding, pack = PACKINGS[packing]
    raw = FRAMINGS[framing](encoding, pack(BODY))
    assert ask(server, raw) == (None, BODY)
    for cut in (*range(1, len(raw) - 12, 7), *range(len(raw) - 12, len(raw))):
        failure, body = ask(server, raw[:cut])
        assert failure is not None and body == b"", f"{cut} of {len(raw)} bytes were taken for the whole"


@pytest.mark.parametrize("packing", [name for name in PACKINGS if name != "plain"])
def test_packed_and_ended_only_by_the_closing_line_a_cut_is_still_noticed(server: Hostile, packing: str) -> None:
    encoding, pack = PACKINGS[packing]
    head, packed = _head(encoding, "Connection: close"), pack(BODY)
    assert ask(server, head + packed) == (None, BODY)
    for cut in range(1, len(packed)):
        between = packing == "gzip in two members" and cut == len(gzip.compress(BODY[:20]))
        if not between:  # there nobody can know: JSON cut short does not parse
            assert ask(server, head + packed[:cut])[0] is Failure.TRUNCATED, cut


@pytest.mark.parametrize("packing", [name for name in PACKINGS if name != "plain"])
def test_a_flipped_byte_or_something_after_the_end_is_not_whole(packing: str) -> None:
    encoding, pack = PACKINGS[packing]
    packed = pack(BODY)
    assert unpacked(encoding, packed) == BODY
    with pytest.raises(NotWhole):
        unpacked(encoding, packed + b"more")
    if packing != "deflate without zlib":  # which has no checksum
        with pytest.raises(NotWhole):
            unpacked(encoding, flipped(packed))


def flipped(packed: bytes) -> bytes:
    """A bit of the checksum, which gzip keeps before the length and zlib at the end."""
    at = len(packed) - (6 if packed.startswith(b"\x1f\x8b") else 2)
    return packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]


@pytest.mark.parametrize("step", [11, 100_000])
@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
@pytest.mark.parametrize("packing", PACKINGS)
def test_it_unpacks_to_the_same_in_small_pieces_however_it_arrives(packing: str, size: int, step: int) -> None:
    encoding, pack = PACKINGS[packing]
    content = b"abcdefgh" * (size // 8) + b"x" * (size % 8)
    assert unpacked(encoding, pack(content), step) == content


def unpacked(encoding: str, packed: bytes, step: int = 5) -> bytes:
    unpacking, parts = Unpacking(encoding), []
    for at in range(0, len(packed), step):
        for part in unpacking.feed(packed[at : at + step]):
            assert len(part) <= PIECE or not encoding
            parts.append(part)
    unpacking.end()
    return b"".join(parts)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, compress", "nonsense"])
def test_a_packing_that_nobody_asked_for_is_no_answer(server: Hostile, encoding: str) -> None:
    assert ask(server, by_length(encoding, BODY)) == (Failure.TRUNCATED, b"")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_nothing_at_all_needs_no_packing(server: Hostile, encoding: str) -> None:
    assert ask(server, by_length(encoding, b"")) == (None, b"")


def test_framing_that_contradicts_itself_is_no_answer(server: Hostile) -> None:
    twice = _head("", "Content-Length: 5\r\nContent-Length: 9") + BODY
    assert ask(server, twice)[0] is not None
