"""Forms and value sets at a clinic's server (or at a terminology server of its own): searched, fetched byte for byte, expanded."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from portal.clock import now
from portal.ehr import answers
from portal.ehr.client import FhirClient
from portal.ehr.http import PATIENT, Limits, Wire
from portal.fhir.resources import Json, id_of, objects_at, text_at, type_of

FORM = "Questionnaire"
MOST_FOUND = 50
MOST_CODES = 2_000
"""A list with more answers than this is no list to choose from; it is not kept."""


@dataclass(frozen=True)
class FormThere:
    """A form that a server has."""

    id: str
    title: str
    url: str
    version: str
    status: str
    changed: str


@dataclass(frozen=True)
class Expanded:
    """What a value set holds: each entry {"system", "code", "display", …}. `whole` is False when there is more than we take."""

    codings: tuple[Json, ...]
    whole: bool


def forms(client: FhirClient, title: str) -> list[FormThere]:
    """The first forms whose title holds this text (all of them without one). Raises EhrError."""
    params = [("title:contains", title)] if title else []
    found = client.search(FORM, [*params, ("_count", str(MOST_FOUND))], pages=1)
    listed = [_there(each) for each in found.matches if type_of(each) == FORM]
    return sorted(listed, key=lambda each: each.title.casefold())[:MOST_FOUND]


def _there(raw: Json) -> FormThere:
    name, url = id_of(raw) or "", text_at(raw, "url")
    title = text_at(raw, "title") or text_at(raw, "name") or url or name
    changed = text_at(raw, "date") or text_at(raw, "meta", "lastUpdated")
    return FormThere(name, title[:300], url, text_at(raw, "version"), text_at(raw, "status"), changed[:10])


def form(client: FhirClient, name: str) -> bytes:
    """A form by its id, as the server sent it. Raises EhrError."""
    answer = client.get(f"{FORM}/{quote(name, safe='')}")
    answers.resource(answer, kind=FORM, name=name, now=now())
    return answer.body


def expand(client: FhirClient, canonical: str) -> Expanded:
    """What a value set holds, by the server's $expand. Raises EhrError."""
    url, _, version = canonical.partition("|")
    asked = {"url": url, "count": str(MOST_CODES + 1)} | ({"valueSetVersion": version} if version else {})
    answer = client.get(f"ValueSet/$expand?{urlencode(asked)}", uncached=False)
    raw = answers.resource(answer, kind="ValueSet", now=now())
    codings = [one for entry in objects_at(raw, "expansion", "contains") for one in _flat(entry, 0)]
    total = raw["expansion"].get("total") if isinstance(raw.get("expansion"), dict) else None
    more = isinstance(total, int) and total > len(codings)
    return Expanded(tuple(codings[:MOST_CODES]), not more and len(codings) <= MOST_CODES)


def _flat(entry: Json, depth: int) -> list[Json]:
    """An entry of an expansion and those under it, without those that only hold others."""
    usable = text_at(entry, "code") and entry.get("abstract") is not True and entry.get("inactive") is not True
    own = [_coding(entry)] if usable else []
    under = objects_at(entry, "contains") if depth < 20 else ()
    return own + [one for each in under for one in _flat(each, depth + 1)]


def _coding(entry: Json) -> Json:
    """The Coding of an entry; its words in other languages as FHIR's translation extension."""
    coding = {key: text_at(entry, key) for key in ("system", "code", "display") if text_at(entry, key)}
    spoken = [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/translation",
            "extension": [
                {"url": "lang", "valueCode": text_at(each, "language")},
                {"url": "content", "valueString": text_at(each, "value")},
            ],
        }
        for each in objects_at(entry, "designation")
        if text_at(each, "language") and text_at(each, "value")
    ]
    return {**coding, "_display": {"extension": spoken}} if spoken else dict(coding)


_servers: dict[str, Wire] = {}


def terminology_server(base: str, limits: Limits = PATIENT) -> FhirClient:
    """A client for the terminology server that the installation names: no other address, no sign-in, no redirects."""
    wire = _servers.setdefault(base, Wire(base))
    return FhirClient(base, wire, None, limits)
