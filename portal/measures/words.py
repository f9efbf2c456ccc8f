"""What each figure is called and how it is counted, and the clinic's own names for what it is counted of."""

from dataclasses import dataclass
from functools import cached_property

from portal.errors import PortalError
from portal.intake.counting import BETWEEN
from portal.intake.sections import PAGES, SECTIONS
from portal.library import service as library
from portal.questionnaire import Form


@dataclass(frozen=True)
class Figure:
    """`means` is the definition that the page, the CSV and the Measure give; `unit` is of the numbers: "1" or "s"."""

    key: str
    title: str
    means: str
    unit: str = "1"


FIGURES: dict[str, Figure] = {
    each.key: each
    for each in (
        Figure(
            "sent",
            "Submissions",
            "What patients sent for the first time. A second round, after a question, is not counted again.",
        ),
        Figure(
            "spared",
            "Questions that did not have to be answered",
            "Facts of the record that a patient said are still right, and answers filled in from the record that "
            "the patient let stand, and blocks of facts that were not asked again.",
        ),
        Figure(
            "facts",
            "Facts that patients checked",
            "Each fact of the record that a patient was shown and sent an answer about.",
        ),
        Figure(
            "given",
            "Answers filled in from the record",
            "Kept: the patient went past it as it stood. Changed: the patient put something else there, or took "
            "it away.",
        ),
        Figure(
            "again",
            "Blocks that were not asked again",
            "Blocks of facts, such as medicines, that a patient had confirmed for another visit a short while ago. "
            "Each counts as one question.",
        ),
        Figure(
            "mended",
            "Answers changed after a problem was shown",
            "How often an answer was changed on a page that had come back because something was wrong with it.",
        ),
        Figure(
            "form",
            "Time for one form",
            "Active time: from when a page is shown to when it is saved, all its pages together. A form with a "
            "page that was left for more than ten minutes is not timed.",
            "s",
        ),
        Figure(
            "page",
            "Time for one page",
            "Active time on one page, all visits to it together. Left for more than ten minutes, it is not timed.",
            "s",
        ),
        Figure(
            "visits",
            "Visits",
            "Visits that were to take place, by what the patient had done here by then. Cancelled ones are not "
            "counted.",
        ),
        Figure(
            "left",
            "Where people stopped",
            "The page that would have come next for a patient who had begun and had not sent anything when the "
            "visit's day was over.",
        ),
        Figure(
            "decisions",
            "What staff decided",
            "The verdict that stood for each item when the submission was finished.",
        ),
        Figure(
            "taken",
            "Items that nobody had to type",
            "Items that were accepted, would change the record, and have been seen to be in it.",
        ),
        Figure(
            "decided",
            "From sent to decided",
            "Until staff first accepted or returned a submission.",
            "s",
        ),
        Figure(
            "delivered",
            "From accepted to in the record",
            "Until the clinic's server was first seen to hold what was accepted.",
            "s",
        ),
        Figure(
            "arrived",
            "From sent to in the record",
            "Both of the last two together, for what arrived.",
            "s",
        ),
        Figure(
            "invitations",
            "Invitations",
            "Links that were made for patients without an account, and links that were used. One patient may be "
            "sent several.",
        ),
        Figure(
            "messages",
            "Messages",
            "E-mails that were sent, or given up after the last try, by what they were for.",
        ),
    )
}

VALUES = {
    "same": "Still right",
    "changed": "Changed",
    "stopped": "No longer",
    "unsure": "Not sure",
    "kept": "Kept",
    "sent": "Sent",
    "failed": "Could not be sent",
    "left": "Begun, not sent",
    "not-begun": "Not begun",
    "accept": "Accepted",
    "edit": "Edited, then accepted",
    "reject": "Rejected",
    "ask": "Asked the patient",
    "untouched": "As the patient wrote it",
    "edited": "As staff edited it",
    "made": "Made",
    "used": "Used",
    "all": "All",
    "": "",
}
MESSAGES = {
    "invitation": "Invitation",
    "asked": "More is asked",
    "reminder": "Reminder",
    "returned": "Question about answers",
    "delivered": "Answers are in the record",
}
FACTS = "What the clinic has on record"


class Names:
    """The words for a form, a page or a question of one clinic; an id where the form is not asked any more."""

    def __init__(self, clinic_id: str) -> None:
        self._clinic_id = clinic_id
        self._forms: dict[str, Form | None] = {}

    @cached_property
    def _asked(self) -> dict[str, str]:
        return {each.slug: each.version_id for each in library.asked(self._clinic_id)}

    def of(self, what: str, thing: str) -> str:
        """What a number is of, in words."""
        if what in ("facts", "again"):
            return _block(thing)
        if what == "messages":
            return MESSAGES.get(thing, thing)
        task, slash, rest = thing.partition("/")
        whole = self._task(task)
        return f"{whole}: {self._part(what, task, rest)}" if slash else whole

    def part(self, what: str, thing: str) -> str:
        """The same without the form it belongs to."""
        task, _, rest = thing.partition("/")
        return self._part(what, task, rest)

    def _part(self, what: str, task: str, rest: str) -> str:
        if rest == BETWEEN:
            return "finished, and nothing else begun"
        if task == "facts":
            return _facts_page(rest)
        form = self._form(task)
        return (_page(form, rest) if what in ("page", "left") else _question(form, rest)) if form else rest

    def _task(self, task: str) -> str:
        form = self._form(task)
        return FACTS if task == "facts" else form.title() if form else task.partition(":")[2] or "Everything together"

    def _form(self, task: str) -> Form | None:
        slug = task.partition(":")[2]
        if slug not in self._forms:
            self._forms[slug] = self._compiled(slug)
        return self._forms[slug]

    def _compiled(self, slug: str) -> Form | None:
        version = self._asked.get(slug)
        try:
            as_of = library.lists_as_of(self._clinic_id) if version else None
            return library.compiled(self._clinic_id, version, as_of) if version else None
        except PortalError:
            return None


def _block(key: str) -> str:
    return SECTIONS[key].title if key in SECTIONS else key


def _facts_page(key: str) -> str:
    page = PAGES.get(key)
    return (page.title or _block(page.blocks[0])) if page else _block(key)


def _page(form: Form, key: str) -> str:
    layout = form.page(key)
    item = layout.title_item if layout else None
    while item is not None and not item.raw.get("text"):
        item = item.parent
    return str(item.raw["text"]) if item else "its only page" if len(form.layout) == 1 else f"page “{key}”"


def _question(form: Form, link_id: str) -> str:
    item = form.by_link.get(link_id)
    return str(item.raw.get("text") or link_id) if item else link_id
