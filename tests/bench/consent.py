"""Ten thousand consents of one patient, decided at once (bar E34)."""

from __future__ import annotations

from datetime import UTC, datetime

from portal.consent.decision import Policy, decide
from portal.consent.provisions import read
from tests.bench.figures import goal, median_cpu, told
from tests.consent.make import BASE, ZONE, ask, consent, inner, label, permit

MANY = 10_000


def run() -> None:
    """One decision over all of them, with a nested refusal in each."""
    written = [consent(permit(inner("deny", securityLabel=[label("PSY")])), id=f"c{n}") for n in range(MANY)]
    filed = [read(each, base=BASE, zone=ZONE) for each in written]
    taken = median_cpu(lambda: decide(ask("TREAT"), filed, Policy.DENY))
    goal(f"Consent: {MANY:,} of one patient decided", taken, 50, unit="ms")
    told(f"measured {datetime.now(UTC).date()}, processor time, median of 7; reading them into rules comes before")
