"""What the three ways of extraction share: where an expression stands, allocated ids, entries of a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import Temporal

from . import extensions as ext
from .answers import Entry
from .definition import Form
from .evaluation import typed_node
from .extensions import Json
from .filling import Filling
from .formulas import formula
from .identities import Identities, base_of
from .issues import Trouble
from .profiles import Profiles
from .subjects import subject_of

UNNAMED = "it is about somebody whom the response does not name"
REQUEST_PARTS = ("ifNoneMatch", "ifModifiedSince", "ifMatch", "ifNoneExist")


class Extractor:
    """One extraction: evaluates expressions at entries of the response and collects what went wrong."""

    def __init__(self, form: Form, filling: Filling, response: Json, identity: str) -> None:
        self.form = form
        self.response = response
        self.evaluation, self.top = filling.inside()
        self.evaluation.base = {key: value for key, value in response.items() if key != "item"}
        self.evaluation.forget()
        self.identities = Identities(base_of(response, identity))
        self.troubles: list[Trouble] = []
        self.profiles = Profiles(form.value_sets.resource)
        self.sources: dict[str, str] = {}
        """the linkId that asked for each entry, by fullUrl"""
        self._turns: dict[int, int] = {}
        self._bare = _bare_names(form)

    def trouble(self, link_id: str, what: str, reason: str) -> None:
        self.troubles.append(Trouble(link_id, what, reason))

    def turns(self, entry: Entry) -> Iterator[int]:
        """The answers of a repeating question one after the other, each as if it were the only one; 0 for anything else."""
        if not (entry.item.is_question and entry.item.repeats and entry.answers):
            yield 0
            return
        for number in range(len(entry.answers)):
            self._turns[id(entry)] = number
            yield number
        del self._turns[id(entry)]

    def live(self) -> Iterator[Entry]:
        """The form and every entry with an answer that applies, in the order of the form."""
        yield from self._live(self.top)

    def _live(self, entry: Entry) -> Iterator[Entry]:
        yield entry
        for child in entry.item.children:
            for inner in entry.existing(child):
                if inner.answered and self.evaluation.enabled(inner):
                    yield from self._live(inner)

    def items(
        self,
        text: Any,
        entry: Entry,
        what: str,
        focus: list[Any] | None = None,
        names: Mapping[str, list[Any]] = MappingProxyType({}),
    ) -> list[Any]:
        """What an expression (a string or an Expression) gives at an entry, or from `focus`; `names` are further variables."""
        compiled = formula(text)
        if compiled is None or compiled.error:
            self.trouble(entry.item.link_id, what, compiled.error if compiled else "it holds no expression")
            return []
        known: dict[str, Any] = {**self.allocated(entry), **names}
        turn = self._turns.get(id(entry))
        if turn is not None:
            alone = [typed_node(self.evaluation.document.alone(entry, turn), "QuestionnaireResponse.item")]
            known["context"] = alone
            focus = alone if focus is None else focus
        return self.evaluation.items(compiled, entry, what, known, focus) or []

    def values(
        self,
        text: Any,
        entry: Entry,
        what: str,
        focus: list[Any] | None = None,
        names: Mapping[str, list[Any]] = MappingProxyType({}),
    ) -> list[Any]:
        """The same as JSON values."""
        found = self.evaluation.plainly(self.items(text, entry, what, focus, names), entry, what)
        return [as_json(value) for value in found or ()]

    def text(self, text: Any, entry: Entry, what: str) -> str:
        found = self.values(text, entry, what) if isinstance(text, str) and text else []
        return str(found[0]) if found else ""

    def allocated(self, entry: Entry) -> dict[str, str]:
        """The ids of extractAllocateId in reach: `urn:uuid:…`, or the bare id where the form uses it as a resourceId."""
        found: dict[str, str] = {}
        place: Entry | None = entry
        while place is not None:
            for name in ext.values(place.item.extensions, "extractAllocateId"):
                if isinstance(name, str) and name not in found:
                    made = self.identities.uuid(place, f"allocated {name}{self._numbered(place)}")
                    found[name] = made if name in self._bare else f"urn:uuid:{made}"
            place = place.parent
        return found

    def _numbered(self, place: Entry) -> str:
        turn = self._turns.get(id(place), 0)
        return f" {turn}" if turn else ""

    def about(self, resource: Json, place: Entry, what: str) -> bool:
        """Puts a resource under whom it is about, where the form says so (isSubject); False when that is nobody we know
        and the resource would speak of the patient instead."""
        who, patient = subject_of(place, self.response), self.response.get("subject")
        if who == patient or not isinstance(patient, dict):
            return True
        for name in ("subject", "patient"):
            said = resource.get(name)
            if isinstance(said, dict) and said.get("reference") == patient.get("reference"):
                if who is None:
                    self.trouble(place.item.link_id, what, UNNAMED)
                    return False
                resource[name] = who
        return True

    def entry(self, resource: Json, place: Entry, what: str, extension: Json) -> Json:
        """A Bundle entry: PUT where the form or an answer gives an id, else POST with a fullUrl that stays the same."""
        what = f"{what}{self._numbered(place)}"
        full_url = self.text(ext.part(extension, "fullUrl"), place, "fullUrl") or self.identities.uuid(place, what)
        identity = self.text(ext.part(extension, "resourceId"), place, "resourceId") or str(resource.get("id") or "")
        kind = str(resource.get("resourceType"))
        request: Json = {"method": "POST", "url": kind}
        if identity:
            resource = {"resourceType": kind, **resource, "id": identity}
            request = {"method": "PUT", "url": f"{kind}/{identity}"}
        for name in REQUEST_PARTS:
            if found := self.text(ext.part(extension, name), place, name):
                request[name] = found
        full_url = full_url if ":" in full_url else f"urn:uuid:{full_url}"
        self.sources[full_url] = place.item.link_id
        return {"fullUrl": full_url, "resource": resource, "request": request}


def _bare_names(form: Form) -> frozenset[str]:
    """The allocated names that the form uses as a resource's id: these cannot start with urn:uuid:."""
    used: set[str] = set()
    for item in (form.root, *form.all_items):
        for name in ("templateExtract", "definitionExtract", "observationExtractEntry"):
            for extension in item.extensions.get(name, ()):
                used.add(str(ext.part(extension, "resourceId") or "").lstrip("%").strip())
    return frozenset(used)


def as_json(value: Any) -> Any:
    """A result as JSON: dates as text, quantities as objects."""
    if isinstance(value, Temporal):
        return str(value).removeprefix("T").removesuffix("T")
    if isinstance(value, Quantity):
        return {"value": value.value, "unit": value.unit, "system": "http://unitsofmeasure.org", "code": value.unit}
    if isinstance(value, dict):
        return copied(value)
    return value


def copied(value: Any) -> Any:
    """A copy of a JSON value; decimals as they are."""
    if isinstance(value, dict):
        return {key: copied(one) for key, one in value.items()}
    if isinstance(value, list):
        return [copied(one) for one in value]
    return value
