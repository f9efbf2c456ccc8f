"""What was sent, as it was frozen then, in words: to be read again, printed and kept."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from portal.fhir.resources import Json, objects_at, text_at
from portal.intake.blocks import Section as Block
from portal.intake.models import Submission
from portal.intake.sections import SECTIONS
from portal.questionnaire import Context, Filling, FormRefused, Section, load


@dataclass(frozen=True)
class Told:
    """What was said of one block of the record: its facts, or that there is none."""

    block: Block
    lines: list[dict[str, Any]]
    any: str | None


def facts(submission: Submission) -> list[Told]:
    """The blocks with something said in them, in the order in which they are asked."""
    document = submission.document
    found = []
    for key, block in SECTIONS.items():
        lines = [line for line in document["facts"] if line["kind"] == key and line["answer"]]
        any_ = document["sections"].get(key, {}).get("any")
        if lines or any_:
            found.append(Told(block, lines, any_))
    return found


def forms(submission: Submission, language: str, at: datetime) -> Iterator[list[Section]]:
    """Each form's sections, with what was answered only; a form that can no longer be read says nothing."""
    versions: dict[str, Json] = submission.document["questionnaires"]
    for response in objects_at(submission.document, "responses"):
        try:
            form = load(versions[text_at(response, "questionnaire")])
        except (FormRefused, KeyError):
            continue
        filling = Filling.as_sent(form, response, Context(now=at, language=language))
        yield [
            replace(each, rows=[replace(row, read_only=True) for row in each.rows])
            for each in filling.summary(language)
            if any(row.answers for row in each.rows)
        ]
