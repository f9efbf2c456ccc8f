"""Which versions hold when several people may choose for one patient, and whether they contradict each other. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

SAID = ("share", "sensitive", "results", "research")
"""What two people can disagree about; how long it holds is not one of them: each choice ends by itself."""


class Chosen(Protocol):
    """What is needed of a version: who chose, as whom, and what."""

    @property
    def account_id(self) -> str | None: ...
    @property
    def capacity(self) -> str: ...
    @property
    def choices(self) -> Mapping[str, str]: ...


Version = TypeVar("Version", bound=Chosen)


@dataclass(frozen=True)
class Holding(Generic[Version]):
    """The versions that hold together. In a conflict all of them do: a refusal of any of them wins until they agree."""

    versions: tuple[Version, ...]

    @property
    def questions(self) -> tuple[str, ...]:
        """The questions on which they disagree."""
        return tuple(key for key in SAID if len({each.choices.get(key) for each in self.versions}) > 1)

    @property
    def conflict(self) -> bool:
        return bool(self.questions)


def holding(newest_first: Sequence[Version]) -> Holding[Version]:
    """Everybody's newest word since the patient's own, and that one. The patient's own, when it is the newest, stands alone.

    So two parents who disagree are two versions in force, and nobody who acts for a patient undoes what the patient refused.
    """
    found: dict[str | None, Version] = {}
    for each in newest_first:
        if each.capacity == "self":
            return Holding((*found.values(), each))
        found.setdefault(each.account_id, each)
    return Holding(tuple(found.values()))
