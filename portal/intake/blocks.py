"""One block of "confirm what we have", as data: its words, its answers, and the fields of each."""

from dataclasses import dataclass

WHAT, MORE = "what", "more"
"""The fields of something added that every block has a word for: what it is, and what else there is to say."""


@dataclass(frozen=True)
class Field:
    """One thing that can be typed. `label` and `hint` are msgids; `kind` is an input's type. A field that starts as the
    record has it (`filled`) holds a correction, any other one holds words."""

    name: str
    label: str
    hint: str = ""
    kind: str = "text"
    filled: bool = False
    needed: bool = False


STOPPED_WHEN = Field("when", "Since when?", "Roughly is enough, for example “March” or “2024”.")
STOPPED_WHY = Field("why", "Why?", "Only if you want to say.")


@dataclass(frozen=True)
class Section:
    """All texts are msgids; `answers` maps each answer to its words. `change` and `stop` are asked with these answers, `add`
    of something that is missing. `one_by_one`: its facts are never confirmed all at once. `dated` puts a fact's date into words.

    `asked`, `days`: unless the clinic says otherwise, when it is asked (see `asking`) and for how many days an answer counts.
    """

    key: str
    title: str
    intro: str
    answers: dict[str, str]
    change: tuple[Field, ...]
    stop: tuple[Field, ...]
    add_title: str
    add: tuple[Field, ...]
    none_title: str
    none_question: str
    could_not_look: str
    any_yes: str = "Yes, I will write it below"
    any_none: str = "No"
    dated: str = "Since %(when)s"
    one_by_one: bool = False
    cards: bool = False
    """whether a picture of a card, front and back, may be added to each of its facts"""
    asked: str = "always"
    days: int = 7
    suggests: str = ""
    """the field that the clinic's list of names belongs to, or "" where a list makes no sense"""

    @property
    def texts(self) -> list[str]:
        """Every text of it that is read."""
        fields = [*self.change, *self.stop, *self.add]
        own = [text for name, text in vars(self).items() if name not in _NO_TEXT and isinstance(text, str)]
        return [*own, *self.answers.values(), *(text for each in fields for text in (each.label, each.hint) if text)]


_NO_TEXT = frozenset({"key", "asked", "suggests"})
