"""What a patient is asked about sharing, word for word and by language: questions, options, and what each option does."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from portal.consent.wording import WORDING, Words
from portal.errors import Issue

SHEET = "2026-11"
"""The edition of the wording; a change of any word is a new edition."""


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    means: str


@dataclass(frozen=True)
class Question:
    key: str
    title: str
    explain: str
    options: tuple[Option, ...]

    def label(self, value: str) -> str:
        return next((option.label for option in self.options if option.value == value), "")

    def means(self, value: str) -> str:
        return next((option.means for option in self.options if option.value == value), "")


@dataclass(frozen=True)
class Sheet:
    """Everything that is shown when a patient chooses. `text` is what is kept, hashed and copied."""

    edition: str
    language: str
    title: str
    intro: tuple[str, ...]
    questions: tuple[Question, ...]
    closing: str
    examples: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """a title and its lines each; the first is what they are examples of"""

    @property
    def text(self) -> str:
        lines = [self.title, "", *self.intro]
        for title, said in self.examples:
            lines += ["", title, *said]
        for question in self.questions:
            lines += ["", question.title, question.explain]
            lines += [f"( ) {option.label} {option.means}" for option in question.options]
        return "\n".join([*lines, "", self.closing, ""])

    @property
    def sha256(self) -> str:
        return digest(self.text)

    def question(self, key: str) -> Question:
        return next(question for question in self.questions if question.key == key)


# key → its options in order. Nothing is chosen beforehand: not asked is not no.
QUESTIONS: dict[str, tuple[str, ...]] = {
    "share": ("yes", "emergency", "no"),
    "sensitive": ("yes", "emergency", "no"),
    "results": ("yes", "no"),
    "research": ("yes", "no"),
    "until": ("visit", "year", "open"),
}


def sheet(clinic: str, language: str) -> Sheet:
    """The wording for one clinic in one language (English where we have no other)."""
    words = WORDING.get(language) or WORDING["en"]
    used = language if language in WORDING else "en"

    def fill(key: str) -> str:
        return words[key].format(clinic=clinic)

    return Sheet(
        edition=SHEET,
        language=used,
        title=fill("title"),
        intro=(fill("intro"), fill("intro-2")),
        questions=tuple(_question(key, options, words, clinic) for key, options in QUESTIONS.items()),
        closing=fill("closing"),
    )


def _question(key: str, options: tuple[str, ...], words: Words, clinic: str) -> Question:
    def fill(name: str) -> str:
        return words[f"{key}.{name}"].format(clinic=clinic)

    made = tuple(Option(value, fill(value), fill(f"{value}.means")) for value in options)
    return Question(key, fill("title"), fill("explain"), made)


NEEDS_SHARING = ("sensitive", "research")
"""Questions that only mean something when anything is shared; without sharing their answer is no."""


def check(answers: Mapping[str, str], shown: Sheet) -> list[Issue]:
    """What is still missing, one issue for each question."""
    asked = [each for each in shown.questions if answers.get("share", "yes") == "yes" or each.key not in NEEDS_SHARING]
    return [
        Issue(each.key, "required", "Choose an answer: %(question)s", {"question": each.title})
        for each in asked
        if answers.get(each.key) not in QUESTIONS[each.key]
    ]


def settled(answers: Mapping[str, str]) -> dict[str, str]:
    """The answers that count, in the order of the questions."""
    kept = {key: answers[key] for key in QUESTIONS if key in answers}
    return {**kept, **dict.fromkeys(NEEDS_SHARING, "no")} if kept.get("share", "yes") != "yes" else kept


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
