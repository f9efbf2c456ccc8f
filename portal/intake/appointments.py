"""What an Appointment and its Patient say, in our words: who comes, when, for what. Pure."""

from datetime import datetime
from typing import Any

from portal.fhir.resources import Json, id_of, objects_at, text_at
from portal.intake.visits import Expected

CANCELLED = frozenset({"cancelled", "noshow", "entered-in-error"})
_LANGUAGES = {"es", "en"}


def expected(connection_id: str, appointment: Json) -> Expected | None:
    """The visit an Appointment asks for; None when it has no start that is an instant."""
    starts_at = _instant(text_at(appointment, "start"))
    if starts_at is None:
        return None
    return Expected(
        connection_id=connection_id,
        appointment_id=id_of(appointment),
        starts_at=starts_at,
        cancelled=text_at(appointment, "status") in CANCELLED,
        detail={
            "what": _what(appointment) or "Visit",
            "with": _participant(appointment, "Practitioner"),
            "where": _participant(appointment, "Location"),
        },
    )


def person(patient: Json) -> dict[str, str | None]:
    """What an account needs to know of a Patient: {"name", "birthDate", "email", "phone", "language"}."""
    return {
        "name": full_name(patient),
        "birthDate": text_at(patient, "birthDate") or None,
        "email": _telecom(patient, "email"),
        "phone": _telecom(patient, "phone"),
        "language": _language(patient),
    }


def full_name(patient: Json) -> str:
    """The official name, else the first that is not old, as written or put together."""
    names = [name for name in objects_at(patient, "name") if text_at(name, "use") not in {"old", "maiden"}]
    names.sort(key=lambda name: text_at(name, "use") != "official")
    if not names:
        return ""
    given: list[Any] = names[0].get("given") or []
    return text_at(names[0], "text") or " ".join([*map(str, given), text_at(names[0], "family")]).strip()


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _what(appointment: Json) -> str:
    concepts = [*objects_at(appointment, "serviceType"), *objects_at(appointment, "reasonCode")]
    texts = [text_at(concept, "text") or text_at(concept, "coding", 0, "display") for concept in concepts]
    return next((text for text in texts if text), text_at(appointment, "description"))


def _participant(appointment: Json, kind: str) -> str | None:
    for part in objects_at(appointment, "participant"):
        if text_at(part, "actor", "reference").startswith(f"{kind}/"):
            return text_at(part, "actor", "display") or None
    return None


def _telecom(patient: Json, system: str) -> str | None:
    points = [
        point
        for point in objects_at(patient, "telecom")
        if text_at(point, "system") == system and text_at(point, "use") != "old"
    ]
    points.sort(key=lambda point: text_at(point, "use") != "mobile")
    return text_at(points[0], "value") or None if points else None


def _language(patient: Json) -> str:
    spoken = objects_at(patient, "communication")
    spoken.sort(key=lambda one: one.get("preferred") is not True)
    codes = [text_at(one, "language", "coding", 0, "code").split("-")[0] for one in spoken]
    return next((code for code in codes if code in _LANGUAGES), "en")
