"""A FHIR client that believes nothing unread: reads and searches come back checked, writes come back raw for delivery to judge."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from time import monotonic
from typing import Protocol
from urllib.parse import quote, urlencode

from portal.clock import now
from portal.ehr import address, answers, echo, paging
from portal.ehr.errors import EhrError, NoCredential, NotFhir, NotReached, TryLater, Unregistered
from portal.ehr.http import PATIENT, Answer, Failure, Limits, Wire
from portal.ehr.paging import Found, Gathered, Params
from portal.fhir import exact
from portal.fhir.bundle import entries, link
from portal.fhir.resources import ID, Json, key_of, version_of

__all__ = ["FhirClient", "Found"]

FHIR_JSON = "application/fhir+json"
MOST_PAGES = 200
NO_POST = frozenset({404, 405, 415, 501})
"""What a server says that knows no search by POST."""


class Bearer(Protocol):
    """Where access tokens come from. `renewed` is asked after a 401 with the token that was refused."""

    def token(self, limits: Limits) -> str: ...
    def renewed(self, refused: str, limits: Limits) -> str: ...


class FhirClient:
    """One registered server. `base` has no trailing slash; every address is built from it or checked against it."""

    def __init__(self, base: str, wire: Wire, bearer: Bearer | None, limits: Limits = PATIENT) -> None:
        self.base = base
        self._wire = wire
        self._bearer = bearer
        self._limits = limits

    # -- reading: raises EhrError ------------------------------------------------------------------------------------

    def read(self, kind: str, name: str, *, uncached: bool = True, known: Json | None = None) -> Json:
        """One resource by id, checked to be that one. `known` is the one we have: it comes back when it is unchanged."""
        version = version_of(known)
        answer = self.get(_path(kind, name), uncached=uncached, unless=version)
        if known is not None and version and answer.whole and answer.status == 304:
            return known
        return answers.resource(answer, kind=kind, name=name, now=now())

    def search(
        self,
        kind: str,
        params: Iterable[tuple[str, str]],
        *,
        uncached: bool = True,
        pages: int = MOST_PAGES,
        private: bool = False,
    ) -> Found:
        """All pages of a search, each resource once. `params` in order; values are percent-encoded here.

        `private`: what is asked tells who somebody is (a name, a birth date, a number of theirs), so it goes in the body of a
        POST to `_search`, where no log of addresses holds it; a server that has no such thing is asked by its address.

        Raises FilterIgnored when a page's self link lacks one of them, NotFhir for anything but a searchset. Where a server
        gives no next page though there seems to be more, it is asked once more for a longer page.
        """
        asked = list(params)
        gathered = self._pages(kind, asked, uncached=uncached, most=pages, private=private)
        if gathered.cut and pages > 1:
            longer = paging.wider(asked, gathered.wanted)
            wider = self._pages(kind, longer, uncached=uncached, most=pages, private=private)
            wider.judge(gathered)
            gathered = wider
        return gathered.found()

    def match(self, person: Json, most: int) -> Json:
        """The server's own `Patient/$match` about this person: at most this many candidates, the doubtful ones too. A question,
        not a change. The Bundle as it came; raises EhrError."""
        asked = [
            {"name": "resource", "resource": person},
            {"name": "onlyCertainMatches", "valueBoolean": False},
            {"name": "count", "valueInteger": most},
        ]
        body = exact.dumps({"resourceType": "Parameters", "parameter": asked}).encode()
        headers = {"Accept": FHIR_JSON, "Content-Type": FHIR_JSON, "Cache-Control": "no-cache"}
        answer = self._authorised("POST", f"{self.base}/Patient/$match", headers, body)
        return answers.resource(answer, kind="Bundle", now=now())

    def history(self, kind: str, name: str) -> list[Json]:
        """The versions of one resource as the server keeps them, each checked to be of it; in the server's order."""
        answer = self.get(f"{_path(kind, name)}/_history?_count=50")
        bundle = answers.resource(answer, kind="Bundle", now=now())
        if bundle.get("type") != "history":
            raise NotFhir("The clinic's system answered with something else than the history that was asked for.")
        return [resource for _, resource in entries(bundle) if key_of(resource) == f"{kind}/{name}"]

    def capabilities(self) -> Json:
        """The CapabilityStatement, asked for without a token; with one when the server wants it."""
        url = f"{self.base}/metadata"
        answer = self._wire.send("GET", url, headers={"Accept": FHIR_JSON}, limits=self._limits)
        if answer.status in (401, 403) and self._bearer:
            answer = self.get("metadata")
        return answers.resource(answer, kind="CapabilityStatement", now=now())

    def get(self, path: str, *, uncached: bool = True, unless: str | None = None) -> Answer:
        """The raw answer to a GET of `path` under the base (304 when its version is still `unless`). Raises EhrError only for
        want of a token or a foreign address."""
        headers = {"Accept": FHIR_JSON, "Prefer": "handling=strict"}
        if uncached:
            headers["Cache-Control"] = "no-cache"
        if unless:
            headers["If-None-Match"] = f'W/"{unless}"'
        return self._authorised("GET", f"{self.base}/{path}", headers)

    # -- writing: never raises for the network -----------------------------------------------------------------------

    def transaction(self, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """POST a Bundle to the base, exactly these bytes, once."""
        return self.write("POST", "", body, headers)

    def create(self, kind: str, body: bytes, *, if_none_exist: str | None = None) -> Answer:
        condition = {"If-None-Exist": if_none_exist} if if_none_exist else {}
        return self.write("POST", _type(kind), body, condition)

    def update(self, kind: str, name: str, body: bytes, *, version: str | None = None) -> Answer:
        """PUT; `version` (a versionId, opaque) makes it conditional."""
        return self.write("PUT", _path(kind, name), body, {"If-Match": f'W/"{version}"'} if version else {})

    def write(self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Any write, on a connection of its own. Want of a token is an Answer too, with nothing sent: failure `credential`
        where a person has to act, `connect` where a later try may do.

        After a 401 the token is renewed and the same bytes are sent once more: a server that asks for credentials has
        not acted on the request.
        """
        url = f"{self.base}/{path}" if path else self.base
        every = {"Accept": FHIR_JSON, "Content-Type": FHIR_JSON, "Prefer": "return=representation", **(headers or {})}
        try:
            return self._authorised(method, url, every, body)
        except Unregistered:
            raise
        except (NotReached, TryLater):
            return Answer(None, sent=False, failure=Failure.CONNECT)
        except EhrError as refusal:
            later = isinstance(refusal, NoCredential) and not refusal.terminal
            return Answer(None, sent=False, failure=Failure.CONNECT if later else Failure.CREDENTIAL)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _authorised(self, method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        if self._bearer is None:
            return self._send(method, url, headers, body)
        token = self._bearer.token(self._limits)
        answer = self._send(method, url, headers | {"Authorization": f"Bearer {token}"}, body)
        if answer.status != 401 or not answer.whole:
            return answer
        renewed = self._bearer.renewed(token, self._limits)
        return self._send(method, url, headers | {"Authorization": f"Bearer {renewed}"}, body)

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        if not address.inside(self.base, url):  # whatever else the wire may speak to: the token goes only here
            raise Unregistered
        return self._wire.send(method, url, headers=headers, body=body, limits=self._limits, fresh=body is not None)

    def _pages(self, kind: str, asked: Params, *, uncached: bool, most: int, private: bool) -> Gathered:
        first = f"{self.base}/{_type(kind)}?{urlencode(asked, quote_via=quote, safe='')}"
        gathered = Gathered(paging.count(asked))
        url: str | None = first
        until = monotonic() + self._limits.total * 3
        headers = {"Accept": FHIR_JSON, "Prefer": "handling=strict"} | (
            {"Cache-Control": "no-cache"} if uncached else {}
        )
        while url is not None:
            started = now()
            answer = self._by_post(kind, asked, headers) if private and url == first else None
            answer = answer or self._authorised("GET", url, headers)
            bundle = answers.resource(answer, kind="Bundle", now=now())
            gathered.add(url, bundle, started - timedelta(seconds=answers.age(answer.headers)))
            if url == first:
                gathered.echoed = echo.check(_self(bundle, private), asked, self.base)
            url = gathered.next(bundle, self.base, most, over=monotonic() > until)
        return gathered

    def _by_post(self, kind: str, asked: Params, headers: dict[str, str]) -> Answer | None:
        """The answer to the same question in a body; None where the server does not take it so."""
        body = urlencode(asked, quote_via=quote, safe="").encode()
        form = headers | {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._authorised("POST", f"{self.base}/{_type(kind)}/_search", form, body)
        return None if answer.whole and answer.status in NO_POST else answer


def _self(bundle: Json, private: bool) -> str | None:
    """The searchset's own link; to a question in a body some servers give one without any parameter, which tells nothing."""
    found = link(bundle, "self")
    return None if private and found is not None and "?" not in found else found


def _type(kind: str) -> str:
    if not (kind.isascii() and kind.isalpha() and kind[:1].isupper() and len(kind) <= 60):
        raise Unregistered
    return kind


def _path(kind: str, name: str) -> str:
    if not ID.fullmatch(name):
        raise Unregistered
    return f"{_type(kind)}/{name}"
