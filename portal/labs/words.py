"""Words for what laboratories send as codes: interpretation, status, why a value is missing. English msgids. Pure."""

from dataclasses import dataclass
from typing import Any

INTERPRETATION_SYSTEMS = frozenset(
    {
        "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
        "http://hl7.org/fhir/v3/ObservationInterpretation",
        "http://terminology.hl7.org/CodeSystem/v2-0078",
        "http://hl7.org/fhir/v2/0078",
        "http://hl7.org/fhir/ValueSet/observation-interpretation",
        "",
    }
)


def _(msgid: str) -> str:
    """Marks a text for translation; the page translates it."""
    return msgid


@dataclass(frozen=True)
class Flag:
    """What the laboratory says of a value. `severity` 0 is usual, 1–3 further out; `side` is -1 below, 1 above, 0 neither."""

    word: str
    symbol: str
    severity: int = 0
    side: int = 0
    code: str = ""
    from_range: bool = False

    @property
    def urgent(self) -> bool:
        return self.code in URGENT


URGENT = frozenset({"HH", "LL", "AA", "TOX"})
"""Marks by which a laboratory says that somebody has to act now; off the scale of an instrument is not one."""

FLAGS = {
    "N": Flag(_("Within the range"), "✓"),
    "H": Flag(_("High"), "▲", 1, 1),
    "HU": Flag(_("Very high"), "▲▲", 2, 1),
    "HH": Flag(_("Critically high"), "▲▲▲", 3, 1),
    "HX": Flag(_("Above what can be measured"), "▲▲▲", 3, 1),
    ">": Flag(_("Above what can be measured"), "▲▲▲", 3, 1),
    "L": Flag(_("Low"), "▼", 1, -1),
    "LU": Flag(_("Very low"), "▼▼", 2, -1),
    "LL": Flag(_("Critically low"), "▼▼▼", 3, -1),
    "LX": Flag(_("Below what can be measured"), "▼▼▼", 3, -1),
    "<": Flag(_("Below what can be measured"), "▼▼▼", 3, -1),
    "A": Flag(_("Not usual"), "◆", 1),
    "AA": Flag(_("Critically not usual"), "◆◆◆", 3),
    "HM": Flag(_("Held for a medical check"), "◆", 1),
    "POS": Flag(_("Positive"), "＋", 1),
    "NEG": Flag(_("Negative"), "－"),
    "IND": Flag(_("Not clear either way"), "?", 1),
    "E": Flag(_("Not clear either way"), "?", 1),
    "DET": Flag(_("Found"), "＋", 1),
    "ND": Flag(_("Not found"), "－"),
    "RR": Flag(_("Reactive"), "＋", 1),
    "WR": Flag(_("Weakly reactive"), "＋", 1),
    "NR": Flag(_("Not reactive"), "－"),
    "S": Flag(_("Susceptible: this medicine should work"), "✓"),
    "SDD": Flag(_("Susceptible at the right dose"), "✓"),
    "I": Flag(_("In between"), "◆", 1),
    "R": Flag(_("Resistant: this medicine may not work"), "◆", 1),
    "SYN-R": Flag(_("Resistant in combination"), "◆", 1),
    "NS": Flag(_("Not susceptible"), "◆", 1),
    "MS": Flag(_("Moderately susceptible"), "✓"),
    "VS": Flag(_("Very susceptible"), "✓"),
    "B": Flag(_("Better than before"), "↗"),
    "W": Flag(_("Worse than before"), "↘", 1),
    "U": Flag(_("Went up a lot"), "↑", 1, 1),
    "D": Flag(_("Went down a lot"), "↓", 1, -1),
    "EXP": Flag(_("As expected"), "✓"),
    "UNE": Flag(_("Not as expected"), "◆", 1),
    "EX": Flag(_("Outside what the test can measure"), "◆", 1),
    "CAR": Flag(_("Carrier"), "◆", 1),
    "TOX": Flag(_("A level that can do harm"), "◆◆◆", 3),
    "IE": Flag(_("Not enough evidence to say"), "?", 1),
    "OBX": Flag(_("See the details"), "◆", 1),
    "QCF": Flag(_("The laboratory's own check failed"), "◆", 2),
}

ABOVE = Flag(_("Above the range"), "▲", 1, 1, from_range=True)
BELOW = Flag(_("Below the range"), "▼", 1, -1, from_range=True)
WITHIN = Flag(_("Within the range"), "✓", from_range=True)

STATUS = {
    "registered": _("Not released yet. The laboratory has the sample or the order."),
    "partial": _("Only part of it is ready."),
    "preliminary": _("An early result. It may still change."),
    "final": "",
    "amended": _("Changed by the laboratory after it was first reported."),
    "corrected": _("Corrected by the laboratory."),
    "appended": _("The laboratory added to it after it was first reported."),
    "cancelled": _("Cancelled: the test was not done or not finished."),
    "entered-in-error": _("Entered by mistake. Please ignore it."),
    "unknown": _("The clinic's system does not say whether this is final."),
}
STATUS_SHORT = {
    "registered": _("Not released yet"),
    "partial": _("Part of it"),
    "preliminary": _("Early result"),
    "amended": _("Changed"),
    "corrected": _("Corrected"),
    "appended": _("Added to"),
    "cancelled": _("Cancelled"),
    "entered-in-error": _("Entered by mistake"),
    "unknown": _("Status not given"),
}
WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
WAITING = frozenset({"registered"})
CHANGED = frozenset({"amended", "corrected", "appended"})

ABSENT = {
    "unknown": _("The value is not known."),
    "asked-unknown": _("Asked, but not known."),
    "temp-unknown": _("Not known yet."),
    "not-asked": _("Not asked."),
    "asked-declined": _("Asked, and declined."),
    "masked": _("Held back by the clinic's system."),
    "not-applicable": _("Does not apply."),
    "unsupported": _("The clinic's system could not keep the value."),
    "as-text": _("The value is only in the text of the report."),
    "error": _("The measurement failed."),
    "not-a-number": _("The measurement gave no number."),
    "negative-infinity": _("Too low to be a number."),
    "positive-infinity": _("Too high to be a number."),
    "not-performed": _("The test was not done."),
    "not-permitted": _("The laboratory may not give this value here."),
}
NO_VALUE = _("No value was sent.")

RANGE_TYPE = {
    "type": _("type"),
    "normal": _("usual"),
    "recommended": _("recommended"),
    "treatment": _("treatment goal"),
    "therapeutic": _("treatment goal"),
    "pre": _("before treatment"),
    "post": _("after treatment"),
    "endocrine": _("by hormone phase"),
    "pre-puberty": _("before puberty"),
    "follicular": _("follicular phase"),
    "midcycle": _("mid-cycle"),
    "luteal": _("luteal phase"),
    "postmenopausal": _("after menopause"),
}


def codings(concept: Any) -> list[dict[str, Any]]:
    """The codings of a CodeableConcept; none when it has an impossible shape."""
    listed = concept.get("coding") if isinstance(concept, dict) else None
    return [coding for coding in listed if isinstance(coding, dict)] if isinstance(listed, list) else []


def concept_words(concept: Any) -> str:
    """A CodeableConcept as the sender put it: its text, else a display, else a code; "" when it says nothing."""
    if not isinstance(concept, dict):
        return ""
    listed = codings(concept)
    for found in (
        concept.get("text"),
        *(coding.get("display") for coding in listed),
        *(coding.get("code") for coding in listed),
    ):
        if isinstance(found, str) and found.strip():
            return found
    return ""


def flag(concept: Any) -> Flag | None:
    """The Flag of one interpretation. One that no table here knows keeps the sender's words; None when it says nothing."""
    for coding in codings(concept):
        code = str(coding.get("code", ""))
        if code.upper() in FLAGS and coding.get("system", "") in INTERPRETATION_SYSTEMS:
            known = FLAGS[code.upper()]
            return Flag(known.word, known.symbol, known.severity, known.side, code.upper())
    words = concept_words(concept)
    return Flag(words, "◆", code=words) if words else None
