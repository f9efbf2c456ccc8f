"""The files that were given in answers: found in a response, named, and unpacked when somebody asks for one."""

from base64 import b64decode
from binascii import Error
from collections.abc import Iterator
from dataclasses import dataclass

from portal.errors import NotFound
from portal.fhir.media import kind_of
from portal.fhir.resources import Json, object_at, objects_at, text_at
from portal.intake.filling import digest

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Kinds that every browser draws."""


@dataclass(frozen=True)
class Given:
    """One file. `mark` tells it from the others of its response."""

    mark: str
    title: str
    kind: str
    data: str

    @property
    def size(self) -> int:
        return len(self.data) * 3 // 4

    @property
    def told(self) -> str:
        """The kind that its first bytes tell, whatever was claimed when it came."""
        return kind_of(self.content)

    @property
    def drawn(self) -> bool:
        """Whether a browser can show it as a picture."""
        return self.kind in PICTURES

    @property
    def content(self) -> bytes:
        """b"" for what is no base64."""
        try:
            return b64decode(self.data, validate=True)
        except (Error, ValueError):
            return b""


def given(response: Json) -> list[Given]:
    """Every file in a response, in the order of its answers."""
    return [_given(answer) for answer in _answers(response) if text_at(answer, "valueAttachment", "data")]


def kept(mark: str, *responses: Json) -> Given:
    """The file with this mark, in whichever response it was given; NotFound."""
    for response in responses:
        for each in given(response):
            if each.mark == mark:
                return each
    raise NotFound


def _given(answer: Json) -> Given:
    held = object_at(answer, "valueAttachment") or {}
    return Given(digest([answer]), text_at(held, "title"), text_at(held, "contentType"), text_at(held, "data"))


def _answers(holder: Json) -> Iterator[Json]:
    for item in objects_at(holder, "item"):
        yield from _answers(item)
        for answer in objects_at(item, "answer"):
            yield answer
            yield from _answers(answer)
