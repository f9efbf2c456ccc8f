"""What a patient should do now, at once, because of something they have answered: words of the clinic's rules."""

from collections.abc import Iterable
from typing import Any

from portal.actors import Actor
from portal.attention import Rules
from portal.clock import now
from portal.consent.redaction import item_labels
from portal.intake import drafts, filling, library
from portal.intake.models import Visit


def of_work(work: filling.Work, rules: Rules, language: str) -> list[str]:
    """Of one form as it stands now."""
    raw = work.entry.form.raw
    if not rules.about(raw):
        return []
    response = work.filling.response("in-progress")
    return [met.patient for met in rules.met(raw, response, language, now()) if met.patient]


def of_visit(actor: Actor, visit: Visit, rules: Rules, language: str) -> list[str]:
    """Of everything answered for a visit, each once."""
    rows = drafts.of_visit(visit)
    begun = [
        (each, rows[library.task(each.slug)])
        for each in library.entries(actor, visit, rows)
        if library.task(each.slug) in rows and rules.about(each.form.raw)
    ]
    found = [met for each, row in begun for met in rules.met(each.form.raw, row.response, language, now())]
    return list(dict.fromkeys(met.patient for met in found if met.patient))


def to_look_at(entries: Iterable[dict[str, Any]], facts: Iterable[dict[str, Any]], rules: Rules) -> int:
    """How many of the entries that forms make are remarkable by the clinic's rules, for the queue; the desk says which."""
    sources = ((fact.get("source") or {}).get("resource") or {} for fact in facts)
    patient = next((each for each in sources if each.get("resourceType") == "Patient"), {})
    return sum(bool(rules.finding(entry, patient, now()).words) for entry in entries)


def for_staff(works: Iterable[filling.Work], rules: Rules) -> list[dict[str, Any]]:
    """Why somebody at the clinic should look today: the rule's key, its words, and how sensitive what it is about is."""
    found = []
    for work in works:
        raw, response = work.entry.form.raw, work.filling.response("completed")
        labels = item_labels(raw)
        for met in rules.met(raw, response, "en", now()):
            about = sorted({label for link in met.links for label in labels.get(link, ())})
            found.append({"key": met.key, "words": met.staff, "labels": about})
    return found
