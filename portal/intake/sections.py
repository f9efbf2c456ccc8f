"""What is confirmed, block by block and page by page: a table. A block is one kind of fact; small blocks share a page.

Everything else follows from the row: what is asked of a fact, what can be corrected, what is asked where nothing is recorded.
The rows with their words stand in `blocks_clinical` and `blocks_people`.
"""

from dataclasses import dataclass

from portal.intake.blocks import MORE, Field, Section
from portal.intake.blocks_clinical import ALLERGY, CONDITION, FAMILY, IMMUNIZATION, MEDICATION, PROCEDURE
from portal.intake.blocks_people import CARETEAM, CONTACT, COVERAGE, PERSON, PHARMACY

__all__ = ["ANSWERS", "MORE", "ORDER", "PAGES", "SECTIONS", "Field", "Page", "Section", "page_of"]

ANSWERS = ("same", "changed", "stopped", "unsure")


@dataclass(frozen=True)
class Page:
    """Blocks that are asked together. `title` is read where more than one of them is shown."""

    key: str
    title: str
    blocks: tuple[str, ...]


_BLOCKS = (
    CONTACT,
    PERSON,
    MEDICATION,
    PHARMACY,
    ALLERGY,
    CONDITION,
    PROCEDURE,
    IMMUNIZATION,
    FAMILY,
    COVERAGE,
    CARETEAM,
)
SECTIONS: dict[str, Section] = {block.key: block for block in _BLOCKS}
PAGES: dict[str, Page] = {
    page.key: page
    for page in (
        Page("contact", "You and the people close to you", ("contact", "person")),
        Page("medication", "Your medicines and your pharmacy", ("medication", "pharmacy")),
        Page("allergy", "Your allergies", ("allergy",)),
        Page("condition", "Your health", ("condition", "procedure", "immunization", "family")),
        Page("coverage", "Your insurance and who looks after you", ("coverage", "careteam")),
    )
}
ORDER = tuple(key for page in PAGES.values() for key in page.blocks)


def page_of(block: str) -> str:
    return next(page.key for page in PAGES.values() if block in page.blocks)
