"""A file that a patient gives: its content in the answer, its kind told from its first bytes and never from its name."""

import unicodedata
from base64 import b64encode

from werkzeug.datastructures import FileStorage

from portal.intake import given, pictures

LIVELY = ("html", "xml", "svg", "javascript", "ecmascript", "shockwave")
"""Kinds that a browser would run or draw from; kept as bytes only."""

PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"MSCF")
"""Archives: nobody can say what is in them before they are opened."""
PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!", b"L\x00\x00\x00\x01\x14\x02\x00")
DOCUMENTS = (b"[Content_Types].xml", b"mimetype", b"_rels/.rels", b"docProps/")
"""The first entry of a zip file that is a document of an office program."""

MOST_TOGETHER = 16_000_000
"""Characters of base64 that the files of one question may come to."""


def attachment(file: FileStorage) -> dict[str, str]:
    """The fields of an Attachment (contentType, title, size, data as base64), all as text; or `problem`, an issue's code."""
    content = file.read()
    found = kind(content, file.mimetype or "")
    if found in pictures.FORMATS:
        content = pictures.redrawn(content, found) or b""
    if not content or _claims_a_picture(found):
        return {"problem": "file-picture" if found.startswith("image/") else "file-empty"}
    if is_closed(content):
        return {"problem": "file-closed"}
    return {
        "contentType": found,
        "title": title(file.filename or ""),
        "size": str(len(content)),
        "data": b64encode(content).decode(),
    }


def kind(content: bytes, claimed: str) -> str:
    """The media type of a file."""
    told = given.kind_of(content)
    if told != given.BYTES or claimed in given.KNOWN or any(word in claimed for word in LIVELY):
        return told
    return claimed or given.BYTES


def is_closed(content: bytes) -> bool:
    """Whether it is an archive or a program: neither is an answer, and what is in it cannot be looked at."""
    if content.startswith(b"PK\x03\x04"):
        return not content[30:60].startswith(DOCUMENTS)
    return content.startswith((*PACKED, *PROGRAMS)) or content[257:262] == b"ustar"


def _claims_a_picture(found: str) -> bool:
    """A picture of a kind that cannot be drawn anew here, so that nobody could say what else is in it."""
    return found.startswith("image/") and found not in pictures.FORMATS


def title(name: str) -> str:
    """The file's own name without folders and without characters that are not seen."""
    own = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", maxsplit=1)[-1])
    return "".join(letter for letter in own if unicodedata.category(letter)[0] != "C")[:200]
