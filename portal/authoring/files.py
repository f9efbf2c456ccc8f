"""Reads what a command was given: JSON and XML files, folders of them, Bundles; each resource with its file."""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from portal.fhir import exact
from portal.questionnaire import xml

from .exits import CannotRead

Json = dict[str, Any]
MOST_BYTES = 64 * 1024 * 1024
MOST_FILES = 20_000
STDIN = "-"
BLANKS = b"\xef\xbb\xbf \t\r\n"
LINES = ".ndjson"


@dataclass(frozen=True, slots=True)
class Found:
    """A resource and the name of its file, as the person wrote it."""

    file: str
    resource: Json


def document(name: str) -> Any:
    """The JSON (or the FHIR XML as JSON) in a file, `-` for standard input. Raises CannotRead."""
    try:
        if name == STDIN:
            return _parsed(_bytes(sys.stdin.buffer, name))
        with open(name, "rb") as file:
            content = _bytes(file, name)
        return _lines(content) if name.endswith(LINES) else _parsed(content)
    except OSError as wrong:
        raise CannotRead(f"{name} cannot be read: {wrong.strerror or 'it is not a file'}.", name) from wrong
    except xml.NotFhir as wrong:
        raise NotFhir(f"{name} {wrong}.", name) from wrong
    except xml.UnreadableXml as wrong:
        raise CannotRead(f"{name} cannot be read: it {wrong}.", name) from wrong
    except exact.UnreadableJson as wrong:
        raise CannotRead(f"{name} cannot be read: {wrong}.", name) from wrong
    except ValueError as wrong:
        raise CannotRead(f"{name!r} cannot be the name of a file.", repr(name)) from wrong


class NotFhir(CannotRead):
    """XML of another kind: in a folder it is passed over."""


def _lines(content: bytes) -> Json:
    """A resource a line (a bulk export), as a Bundle of them."""
    return {
        "resourceType": "Bundle",
        "entry": [{"resource": _parsed(line)} for line in content.splitlines() if line.strip(BLANKS)],
    }


def _parsed(content: bytes) -> Any:
    """JSON, or FHIR XML as the same JSON."""
    if not content.strip(BLANKS):
        raise exact.UnreadableJson("it is empty")
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in content[:4]:
        width = 32 if b"\0\0" in content[:4] else 16
        raise exact.UnreadableJson(f"it is UTF-{width} text: save it as UTF-8")
    return xml.read(content) if content.lstrip(BLANKS)[:1] == b"<" else exact.loads(content)


def _bytes(file: BinaryIO, name: str) -> bytes:
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise CannotRead(f"{name} is larger than {MOST_BYTES // 1024 // 1024} MB.", name)
    return content


def resource(name: str) -> Json:
    """The one JSON object in a file. Raises CannotRead."""
    found = document(name)
    if not isinstance(found, dict):
        raise CannotRead(f"{name} holds no resource: it is not a JSON object.", name)
    return found


def is_folder(name: str) -> bool:
    return name != STDIN and "\0" not in name and os.path.isdir(name)


def gathered(names: Iterable[str], lost: Callable[[CannotRead], None]) -> list[Found]:
    """Every resource of the files and folders, those in Bundles too. What cannot be read in a folder is told to `lost`;
    a file that was named itself raises CannotRead."""
    return [found for name in names for found in (_folder(name, lost) if is_folder(name) else _file(name))]


def _file(name: str) -> Iterator[Found]:
    return (Found(name, one) for one in unpacked(resource(name)))


def _folder(name: str, lost: Callable[[CannotRead], None]) -> Iterator[Found]:
    inside = (
        Path(folder, file) for folder, _, files in os.walk(name) for file in files
    )  # what vanishes meanwhile is gone
    paths = sorted(path for path in inside if path.suffix in (".json", ".xml", LINES) and path.is_file())
    if len(paths) > MOST_FILES:
        raise CannotRead(f"{name} holds more than {MOST_FILES} files.")
    for path in paths:
        try:
            found = document(str(path))
        except NotFhir:
            continue
        except CannotRead as wrong:
            lost(wrong)
            continue
        if isinstance(found, dict):
            yield from (Found(str(path), one) for one in unpacked(found))


def unpacked(raw: Json) -> Iterator[Json]:
    """A resource, or every resource of a Bundle (of Bundles)."""
    stack = [raw]
    while stack:
        one = stack.pop()
        if one.get("resourceType") != "Bundle":
            yield one
            continue
        entries = one.get("entry")
        listed = [e.get("resource") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
        stack.extend(r for r in reversed(listed) if isinstance(r, dict))
