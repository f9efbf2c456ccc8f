"""Words that may stand in sealed columns and on the right pages only, in every shape in which they might leak."""

from __future__ import annotations

import html
import json
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote

STARTS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b\x08")
UNPACKED = 1 << 20


def shapes(canary: str) -> dict[str, list[bytes]]:
    """How a word may look at rest: encoding → what to look for."""
    raw = canary.encode()
    return {
        "utf-8": [raw],
        "utf-16": [canary.encode("utf-16-le"), canary.encode("utf-16-be")],
        "hex": [raw.hex().encode(), raw.hex().upper().encode()],
        "base64": [*_base64(raw), *_base64(canary.encode("utf-16-le"))],
        "url": [quote(canary).encode(), quote(canary, safe="").replace("%20", "+").encode()],
        "html": [html.escape(canary).encode(), canary.encode("ascii", "xmlcharrefreplace")],
        "json": [json.dumps(canary)[1:-1].encode()],
    }


def _base64(raw: bytes) -> Iterator[bytes]:
    """What stands in base64 of any text around it: three ways to be aligned, without the ends that depend on neighbours."""
    for ahead in range(3):
        padded = b"\0" * ahead + raw
        whole = padded[: len(padded) - len(padded) % 3]
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(whole)[4 if ahead else 0 :]


def found(content: bytes, canaries: Iterable[str]) -> list[str]:
    """The canaries in this content, with the shape; what is packed with zlib or gzip in it is looked into (the eighth shape)."""
    hits = []
    packed = list(_unpacked(content))
    for canary in canaries:
        for shape, ways in shapes(canary).items():
            hits += [f"{canary!r} as {shape}" for way in ways if way in content]
            hits += [f"{canary!r} as {shape}, packed" for way in ways for each in packed if way in each]
    return hits


def _unpacked(content: bytes) -> Iterator[bytes]:
    for start in STARTS:
        at = content.find(start)
        while at >= 0:
            try:
                clear = zlib.decompressobj(wbits=47).decompress(content[at : at + UNPACKED], UNPACKED)
            except zlib.error:
                clear = b""
            if len(clear) > 8:
                yield clear
            at = content.find(start, at + 1)
