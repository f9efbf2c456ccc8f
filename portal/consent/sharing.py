"""What is shared with whom now, since when, and what was sent when: the answer to "who sees what of me?"."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.actors import Actor
from portal.clock import now
from portal.consent import filed
from portal.consent.decision import Policy
from portal.consent.examples import THINGS, VIEWERS, sees, told_apart
from portal.consent.gate import in_force, rules_of
from portal.consent.models import Capacity, ConsentVersion
from portal.consent.provisions import Rules
from portal.consent.standing import holding
from portal.delivery import service as delivery


@dataclass(frozen=True)
class Line:
    """One kind of viewer: which kinds of things they see now, and since when it has been exactly so (None: always)."""

    viewer: str
    sees: tuple[str, ...]
    since: datetime | None

    @property
    def told(self) -> tuple[bool, str, str]:
        """Equal for viewers who are told in one line; those who see something come first."""
        return not self.sees, " ".join(self.sees), self.since.isoformat() if self.since and self.sees else ""


def who_sees(actor: Actor, policy: Policy) -> list[Line]:
    """For the patient themself, from the rules in force and the installation's policy."""
    patient_id, at = filed.own(actor), now()
    rows, zone = filed.rows(actor.clinic_id, patient_id), filed.zone(actor.clinic_id)
    whose = (patient_id, actor.clinic_id)

    def seen(viewer: str, rules: list[Rules], default: Policy) -> tuple[str, ...]:
        return tuple(each for each in THINGS if sees(viewer, each, rules, default, whose, at))

    present = in_force(actor.clinic_id, patient_id)
    found = []
    holding_now = {viewer: seen(viewer, present, Policy.DENY if rows else policy) for viewer in VIEWERS}
    for viewer, holds in told_apart(holding_now).items():
        since = None
        for place, row in enumerate(rows):
            then = [rule for each in holding(rows[place:]).versions for rule in rules_of(each, zone)]
            if seen(viewer, then, Policy.DENY) != holds:
                break
            since = row.given_at
        found.append(Line(viewer, holds, since or _newest(rows)))
    return found


def contradictions(actor: Actor) -> list[dict[str, Any]]:
    """What people who act for this patient chose differently, as far as it holds now: a line for each question."""
    held = holding(filed.rows(actor.clinic_id, filed.own(actor)))
    return [
        {
            "section": "consent",
            "key": key,
            "label": _titled(held.versions, key),
            "said": [_said(each, key) for each in held.versions],
        }
        for key in held.questions
    ]


def _titled(versions: Iterable[ConsentVersion], key: str) -> str:
    rows = (row for each in versions for row in each.document["rows"])
    return next((str(title) for asked, title, _, _ in rows if asked == key), key)


def _said(version: ConsentVersion, key: str) -> dict[str, Any]:
    answer = next((label for asked, _, label, _ in version.document["rows"] if asked == key), "")
    by = version.document["by"]
    return {
        "by": by["name"],
        "relation": "" if version.capacity == Capacity.SELF else by.get("relation", "carer"),
        "at": version.given_at.isoformat(),
        "says": [answer],
    }


def _newest(rows: list[ConsentVersion]) -> datetime | None:
    return rows[0].given_at if rows else None


def sent(actor: Actor) -> list[delivery.Status]:
    """Every delivery of this patient to the clinic's record, the newest first: a thing already sent says when it was sent."""
    return sorted(delivery.of_patient(actor.clinic_id, filed.own(actor)), key=lambda each: each.since, reverse=True)
