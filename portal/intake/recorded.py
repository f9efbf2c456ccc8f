"""What a form's own searches find in a patient's record: among what was read of it, and of that what this person may see.

"There is none" is said only of what was read whole; everything else could not be looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

from portal import db
from portal.actors import Actor, Role, Scope
from portal.clock import now
from portal.consent import service as consent
from portal.ehr import service as ehr
from portal.fhir import codes
from portal.fhir.resources import Json, object_at, objects_at, text_at
from portal.intake.models import Visit
from portal.library import service as forms
from portal.questionnaire import Context, Form
from portal.questionnaire.context import Read
from portal.questionnaire.searching import Records, kind_of, looked_for

RESULTS = frozenset({"Observation", "DiagnosticReport"})
"""A search for these without a category may ask for what is not read: that it finds nothing says nothing."""
SCREENING = "survey"
"""What somebody said on another day is not this visit's answer: observations of this category are never filled in."""
_OWN_USE: dict[str, Any] = {"policy": consent.Policy.ALL_AUTHORIZED, "purpose": "PATRQT"}


@dataclass
class Recorded:
    """One patient's record for one request of this actor, read when it is first asked for."""

    actor: Actor
    visit: Visit
    language: str
    max_age: timedelta
    _readings: dict[ehr.Kind, ehr.Reading] = field(default_factory=dict)
    _answers: dict[str, Json | None] = field(default_factory=dict)

    @cached_property
    def context(self) -> Context:
        """What a form of this visit may know for this person."""
        own = {"user": self.patient} if self.actor.role is Role.PATIENT else {}
        return Context(
            now=now(),
            launch=_Launch({"patient": self.patient, **own}),
            language=self.language,
            terminology=forms.KeptLists(self.visit.clinic_id),
            fetch=self.fetch,
            read=self.read,
        )

    def standing(self, form: Form) -> object:
        """Equal for as long as filling in the form from the record would give the same; None where that is not known."""
        fresh = self.context.now - self.max_age
        lacks = [each for each in self._readings.values() if each.read_at is None or each.read_at <= fresh]
        if asks_for_results(form) or any(each.reason not in UNTIED for each in lacks):
            return None
        return ehr.standing(self.actor, self.visit.patient_id, self.max_age), self.context.now.date()

    def patient(self) -> Json | None:
        found = self._look((ehr.Kind.PATIENT,))[0].resources
        return found[0] if found else None

    def read(self) -> Read | None:
        """When and where the oldest of what was looked at was read."""
        known = [each for each in self._readings.values() if each.read_at is not None]
        oldest = min(known, key=lambda each: each.read_at, default=None)  # type: ignore[arg-type, return-value]
        return Read(oldest.read_at, oldest.source) if oldest and oldest.read_at else None

    def fetch(self, query: str) -> Json | None:
        """A searchset or a resource; None where it could not be looked up, or is not for this person to see."""
        if query not in self._answers:
            self._answers[query] = self._found(query)
        return self._answers[query]

    def _found(self, query: str) -> Json | None:
        wanted, categories = kind_of(query), _categories(query)
        kinds = ehr.holding(wanted, categories)
        if not kinds or (wanted in RESULTS and not self._sees_results()):
            return None
        readings = self._look(kinds)
        held = [each for reading in readings for each in reading.resources if not _is_mistake(each)]
        seen = self._seen(held) if wanted in RESULTS else held
        found = Records(seen).fetch(query)
        whole = all(each.complete and each.state is not ehr.State.COULD_NOT_LOOK for each in readings)
        known = whole and len(seen) == len(held) and (wanted not in RESULTS or bool(categories))
        return found if known or (found and found.get("entry")) else None

    def _look(self, kinds: tuple[ehr.Kind, ...]) -> list[ehr.Reading]:
        missing = [kind for kind in kinds if kind not in self._readings]
        if missing:
            asks = not db.writing()
            self._readings |= ehr.read_several(
                self.actor, self.visit.patient_id, missing, max_age=self.max_age, fetch=asks
            )
        return [self._readings[kind] for kind in kinds]

    def _seen(self, results: list[Json]) -> list[Json]:
        """Those that this person may see here, without what was said at a screening."""
        wanted = [each for each in results if not _is_screening(each)]
        return [dict(each) for each in consent.visible(self.actor, self.visit.patient_id, wanted, **_OWN_USE)]

    def _sees_results(self) -> bool:
        about = {"resourceType": "Observation"}
        return sees_results(self.actor) and consent.would_permit(self.actor, self.visit.patient_id, about, **_OWN_USE)


UNTIED = (ehr.Reason.NOT_LINKED, ehr.Reason.NO_CONNECTION)
"""There is nothing to look at until somebody ties this patient to a record."""


def sees_results(actor: Actor) -> bool:
    """Whether results may be shown to this person: somebody who answers for the patient may have been given the forms alone."""
    return actor.role is not Role.PROXY or actor.allows(Scope.RESULTS)


def asks_for_results(form: Form) -> bool:
    """Whether anything in the form looks for results: what it was filled in with may then be one."""
    kept = form.root.kept
    if "results" not in kept:
        kept["results"] = not RESULTS.isdisjoint(looked_for(form))
    return bool(kept["results"])


def _categories(query: str) -> frozenset[str]:
    """The codes that a search names as categories."""
    asked = parse_qs(query.partition("?")[2]).get("category", [])
    return frozenset(code.rpartition("|")[2] for each in asked for code in each.split(","))


def _is_mistake(resource: Json) -> bool:
    """Whether the record itself says that it does not mean this any more."""
    verified = objects_at(object_at(resource, "verificationStatus"), "coding")
    said = {text_at(resource, "status"), *(text_at(each, "code") for each in verified)}
    return not said.isdisjoint(codes.NOT_MEANT)


def _is_screening(resource: Json) -> bool:
    groups = objects_at(resource, "category")
    return any(text_at(each, "code") == SCREENING for group in groups for each in objects_at(group, "coding"))


class _Launch(Mapping[str, Json]):
    """The launch context of a form, read from the record when the form first asks for it, and then once."""

    def __init__(self, sources: Mapping[str, Callable[[], Json | None]]) -> None:
        self._sources, self._found = sources, dict[str, Json | None]()

    def __getitem__(self, name: str) -> Json:
        if name not in self._found:
            self._found[name] = self._sources[name]()
        found = self._found[name]
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._sources if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
