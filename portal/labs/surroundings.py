"""Who and what stands around a result: who reported it, from which sample, whom it is about, what was noted. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from portal.labs import times
from portal.labs.documents import Document, document_of
from portal.labs.plain import text_of
from portal.labs.results import Note
from portal.labs.words import _, concept_words

Resource = Mapping[str, Any]
Find = Callable[[str, Resource], Resource | None]
"""The resource that a reference means, contained in its holder or read beside it; None when it is at neither."""


def people(raw: Resource, name: str, find: Find) -> tuple[str, ...]:
    """Everybody whom the references of an element name: as written there, else as the resource itself is called."""
    return tuple(filter(None, (called(each, raw, find) for each in objects(raw.get(name)))))


def called(reference: Resource, holder: Resource, find: Find, depth: int = 0) -> str:
    """How somebody or something is called that a Reference means; "" when nothing tells."""
    if reference.get("display"):
        return str(reference["display"])
    found = find(str(reference.get("reference", "")), holder)
    if found is None:
        return ""
    own = _own_name(found)
    if own or depth:
        return own
    roles = [each for name in ("practitioner", "organization") for each in objects(found.get(name))]
    return ", ".join(filter(None, (called(each, holder, find, depth + 1) for each in roles)))


def _own_name(found: Resource) -> str:
    """Of an organization, a person (one HumanName or several) or a device."""
    held = found.get("name")
    if isinstance(held, str):
        return held
    names = objects(held)
    if names:
        return _person(names[0])
    devices = [str(each.get("name", "")) for each in objects(found.get("deviceName"))]
    return next(filter(None, devices), "")


def _person(name: Resource) -> str:
    if isinstance(name.get("text"), str):
        return str(name["text"])
    parts = [*_texts(name.get("prefix")), *_texts(name.get("given")), str(name.get("family") or "")]
    return " ".join(filter(None, (*parts, *_texts(name.get("suffix")))))


def _texts(held: Any) -> list[str]:
    return [each for each in held if isinstance(each, str)] if isinstance(held, list) else []


def specimen(reference: Any, holder: Resource, find: Find) -> str:
    held = mapping(reference)
    if held.get("display"):
        return str(held["display"])
    found = find(str(held.get("reference", "")), holder)
    return concept_words(found.get("type")) if found else ""


def about(raw: Resource, find: Find) -> str:
    """Whom or what it was measured of, where the resource says that this is not simply its patient."""
    return ", ".join(people(raw, "focus", find))


def notes(raw: Resource, find: Find) -> tuple[Note, ...]:
    listed = [
        Note(str(each.get("text", "")), _writer(each, raw, find), times.when(each.get("time")))
        for each in objects(raw.get("note"))
    ]
    old = raw.get("comment")  # DSTU2 and STU3 servers
    return tuple(note for note in [*listed, Note(old if isinstance(old, str) else "")] if note.text)


def _writer(note: Resource, raw: Resource, find: Find) -> str:
    """Who wrote it, where it says so: a name as written, what a reference shows, or the name of whom it means."""
    if isinstance(note.get("authorString"), str):
        return str(note["authorString"])
    return next((called(each, raw, find) for each in objects(note.get("authorReference"))), "")


def documents(raw: Resource, own: str) -> tuple[Document, ...]:
    """The documents of a report, and the pictures that it only names (Media), which are not here."""
    forms = [
        document_of(each, f"{own}|document|{number}", own)
        for number, each in enumerate(objects(raw.get("presentedForm")))
    ]
    pictures = [
        Document(f"{own}|picture|{number}", own, _picture(each))
        for number, each in enumerate(objects(raw.get("media")))
    ]
    return (*forms, *pictures)


def _picture(media: Resource) -> str:
    return str(media.get("comment") or mapping(media.get("link")).get("display") or _("Picture"))


def narrative(raw: Resource) -> str:
    """What the resource says about itself as text, for one that says nothing in another way."""
    text = mapping(raw.get("text"))
    return text_of(text["div"]) if isinstance(text.get("div"), str) and text.get("status") != "empty" else ""


def labels(raw: Resource) -> tuple[str, ...]:
    """`system|code` of everything in meta.security: what of it is sensitive travels with what is made from it."""
    marks = objects(mapping(raw.get("meta")).get("security"))
    return tuple(f"{each.get('system', '')}|{each.get('code', '')}" for each in marks)


def references(listed: Any) -> list[str]:
    return [str(each["reference"]) for each in objects(listed) if isinstance(each.get("reference"), str)]


def objects(value: Any) -> list[Any]:
    """The objects of a FHIR list; a lone object (as some servers send) is a list of one."""
    if isinstance(value, Mapping):
        return [value]
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def contained(holder: Resource, own_id: str) -> Resource | None:
    inside: Iterable[Any] = objects(holder.get("contained"))
    return next((each for each in inside if str(each.get("id", "")).removeprefix("#") == own_id), None)
