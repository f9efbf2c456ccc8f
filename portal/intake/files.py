"""A file that a patient gives: its content in the answer, its kind told from its first bytes and never from its name."""

import hashlib
import unicodedata
from base64 import b64encode

from werkzeug.datastructures import FileStorage

from portal import scanning
from portal.fhir import media
from portal.fhir.letters import normal
from portal.intake import pictures

LIVELY = ("html", "xml", "svg", "javascript", "ecmascript", "shockwave")
"""Kinds that a browser would run or draw from; kept as bytes only."""

PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"MSCF")
"""Archives: nobody can say what is in them before they are opened."""
PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!", b"L\x00\x00\x00\x01\x14\x02\x00")
DOCUMENTS = (b"[Content_Types].xml", b"mimetype", b"_rels/.rels", b"docProps/")
"""The first entry of a zip file that is a document of an office program."""

SCANNED = {scanning.Verdict.HARMFUL: "file-harmful", scanning.Verdict.UNKNOWN: "file-unscanned"}
"""What keeps a file out that the clinic's scanner was asked about."""

MOST_TOGETHER = 16_000_000
"""Characters of base64 that the files of one question may come to."""


def attachment(file: FileStorage) -> dict[str, str]:
    """The fields of an Attachment (contentType, title, size, data as base64), all as text; or its title and `problem`, an
    issue's code."""
    content, named = file.read(), title(file.filename or "")
    found = kind(content, file.mimetype or "")
    if found in pictures.FORMATS:
        content = pictures.redrawn(content, found) or b""
    if not content or _claims_a_picture(found):
        return {"title": named, "problem": "file-picture" if found.startswith("image/") else "file-empty"}
    if is_closed(content):
        return {"title": named, "problem": "file-closed"}
    if trouble := SCANNED.get(scanning.look(content)):
        return {"title": named, "problem": trouble}
    return {
        "contentType": found,
        "title": named,
        "size": str(len(content)),
        "data": b64encode(content).decode(),
    }


def photograph(file: FileStorage, longest: int) -> dict[str, str | int]:
    """A photograph that can only be a picture: a JPEG as base64 with its size and SHA-1 (as FHIR's Attachment has it); or `problem`."""
    content = file.read()
    found = media.kind_of(content)
    made = pictures.photographed(content, found, longest) if found in pictures.FORMATS else None
    if not made:
        return {"problem": "file-picture"}
    if trouble := SCANNED.get(scanning.look(made)):
        return {"problem": trouble}
    digest = b64encode(hashlib.sha1(made, usedforsecurity=False).digest()).decode()
    return {"data": b64encode(made).decode(), "size": len(made), "hash": digest}


def kind(content: bytes, claimed: str) -> str:
    """The media type of a file."""
    told = media.kind_of(content)
    if told != media.BYTES or claimed in media.KNOWN or any(word in claimed for word in LIVELY):
        return told
    return claimed or media.BYTES


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
    own = normal("NFC", name.replace("\\", "/").rsplit("/", maxsplit=1)[-1])
    return "".join(letter for letter in own if unicodedata.category(letter)[0] != "C")[:200]
