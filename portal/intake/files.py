"""A file that a patient gives: its content in the answer, its kind told from its first bytes and never from its name."""

import unicodedata
from base64 import b64encode

from werkzeug.datastructures import FileStorage

# First bytes -> kind. A file that claims one of these kinds and does not begin so is only "bytes".
BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
BYTES = "application/octet-stream"
LIVELY = ("html", "xml", "svg", "javascript", "ecmascript")
"""Kinds that a browser would run or draw from; kept as bytes only."""


def attachment(file: FileStorage) -> dict[str, str]:
    """The fields of an Attachment (contentType, title, size, data as base64), all as text."""
    content = file.read()
    return {
        "contentType": kind(content, file.mimetype or ""),
        "title": title(file.filename or ""),
        "size": str(len(content)),
        "data": b64encode(content).decode(),
    }


def kind(content: bytes, claimed: str) -> str:
    """The media type of a file."""
    told = next((kind for beginning, kind in BEGINNINGS if content.startswith(beginning)), "")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        told = "image/webp"
    known = {known for _, known in BEGINNINGS} | {"image/webp"}
    if told or claimed in known or any(word in claimed for word in LIVELY):
        return told or BYTES
    return claimed or BYTES


def title(name: str) -> str:
    """The file's own name without folders and without characters that are not seen."""
    own = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", maxsplit=1)[-1])
    return "".join(letter for letter in own if unicodedata.category(letter)[0] != "C")[:200]
