"""What a check finds: one Issue a finding, as a code, a place and words that can be translated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MESSAGES: dict[str, str] = {
    "required": "Answer this question",
    "group-required": "Answer at least one question in this part",
    "too-few": "Give at least %(min)s answers",
    "too-few-1": "Give at least one answer",
    "too-few-part": "Fill in at least %(min)s of these parts",
    "too-many": "Give no more than %(max)s answers",
    "too-many-1": "Give one answer only",
    "too-many-part": "Fill in no more than %(max)s of these parts",
    "not-repeating": "Give one answer only",
    "type": "This is not an answer of the right kind (%(expected)s)",
    "too-long": "Use %(max)s characters or fewer",
    "too-long-1": "Use one character only",
    "too-short": "Use %(min)s characters or more",
    "too-small": "Enter %(min)s or more",
    "too-large": "Enter %(max)s or less",
    "too-early": "Enter a date or time that is %(min)s or later",
    "too-late": "Enter a date or time that is %(max)s or earlier",
    "too-early-date": "Enter a date that is %(min)s or later",
    "too-late-date": "Enter a date that is %(max)s or earlier",
    "too-early-time": "Enter a time that is %(min)s or later",
    "too-late-time": "Enter a time that is %(max)s or earlier",
    "decimals": "Use no more than %(max)s decimal places",
    "decimals-1": "Use no more than one decimal place",
    "decimals-0": "Enter a whole number, like 12",
    "pattern": "Enter this in the form that is asked for",
    "pattern-format": "Enter this in the form %(format)s",
    "option": "Choose one of the answers in the list",
    "option-off": "“%(label)s” cannot be chosen any more because of another answer. Choose again",
    "display": "“%(display)s” is not what this answer is called in the list",
    "option-unknown": "We could not check this answer against the list",
    "exclusive": "“%(label)s” cannot be chosen together with another answer",
    "unit": "Choose one of the units in the list",
    "unit-missing": "Choose a unit",
    "unit-code": "The code of a unit needs the system that it is of",
    "unit-system": "Units outside the list come from %(system)s",
    "file-size": "Choose a file of %(max)s or smaller",
    "file-kind": "Choose a file of one of these kinds: %(kinds)s",
    "file-empty": "Choose a file",
    "file-picture": "We could not read this picture. Save it as JPEG or PNG and choose it again",
    "file-closed": "Choose the document itself, not an archive or a program",
    "file-harmful": "The clinic's virus scanner found something harmful in this file. Choose another one",
    "file-unscanned": "We could not look through this file for viruses just now. Choose it again in a few minutes",
    "file-stated": "The file is said to have %(stated)s bytes and has %(size)s",
    "file-total": "These files are too large together. Remove one, or choose smaller ones",
    "reference-kind": "This must point to one of: %(kinds)s",
    "reference": "This is not a reference that can be followed",
    "reference-type": "%(type)s is not a kind of record",
    "whole-number": "Enter a whole number, like 12",
    "number": "Enter a number, like 12 or 12.5",
    "number-ambiguous": "We cannot tell whether this means %(first)s or %(second)s. Write it without thousands separators",
    "number-size": "Enter a number with at most %(max)s digits",
    "date": "Enter a date, like 27 March 2019, or only a month and year, or only a year",
    "date-real": "Enter a date that exists",
    "date-year": "Say the year too",
    "date-ambiguous": "We cannot tell the day from the month. Write the month as a word, like %(example)s",
    "datetime": "Enter a date, and a time if you know it, like 27 March 2019, 14:30",
    "time": "Enter a time, like 14:30",
    "url": "Enter a web address, like https://www.example.org",
    "yesno": "Choose yes or no",
    "characters": "Remove the characters that cannot be stored",
    "rule": "%(text)s",
    "rule-unchecked": "A rule of this form could not be checked",
    "read-only": "This answer cannot be changed here",
    "not-enabled": "This question does not apply, so it must not have an answer",
    "unknown-question": "There is no question with this linkId in the form",
    "misplaced": "This question stands in another place in the form",
    "order": "The questions are not in the order of the form",
    "duplicate": "This question stands here more than once",
    "display-answer": "A text without a question cannot have an answer",
    "group-answer": "A group of questions cannot have an answer of its own",
    "no-value": "An answer has no value",
    "form-mismatch": "The answers belong to another form (%(other)s)",
    "form-version": "The answers belong to another version of the form (%(other)s)",
    "status": "The status %(status)s is not a status of a response",
    "signature": "This must be signed, and holds no signature",
    "draft-form": "The form is a draft",
    "retired-form": "The form is retired: its author no longer wants it answered",
    "form-period": "The form was not in force when it was answered (%(authored)s)",
    "text-differs": "The text of the question is not the text of the form",
    "shape": "This is not the shape of a response: %(what)s",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """A finding. `name` is the node's field name ("" for the whole form), `severity` error, warning or information.

    `msgid` is English (in the words for what it is about, or for one where a limit is one) and may be looked up for a
    translation; `message` is that text with `params` put in.
    `expression` is the FHIRPath of the place in the response, where there is one.
    """

    name: str
    link_id: str
    code: str
    severity: str = "error"
    params: Mapping[str, object] = field(default_factory=dict)
    expression: str = ""

    @property
    def msgid(self) -> str:
        of = self.params.get("of") or self.params.get("max", self.params.get("min", ""))
        return MESSAGES.get(f"{self.code}-{of}") or MESSAGES.get(
            self.code, "%(text)s" if "text" in self.params else self.code
        )

    @property
    def message(self) -> str:
        return self.msgid % self.params if self.params else self.msgid

    @property
    def blocks(self) -> bool:
        return self.severity == "error"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form is not taken: the item's linkId ("" for the form), a code and a sentence for its author."""

    link_id: str
    code: str
    reason: str
    severity: str = "error"

    @property
    def message(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something the form asked for that could not be done while it was filled in: for staff, never for the patient."""

    link_id: str
    what: str
    reason: str


class FormRefused(Exception):
    """A Questionnaire that this engine will not render: `issues` name each item and reason."""

    def __init__(self, issues: list[Refusal]) -> None:
        self.issues = issues
        super().__init__("; ".join(f"{issue.link_id or 'form'}: {issue.reason}" for issue in issues[:5]))
