"""What was found while a form was read: reasons to refuse it, features it uses, features not honoured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.fhirpath.model import r4

from . import extensions as ext
from .extensions import Json
from .issues import Refusal
from .items import Item
from .origins import ABSENT_REASONS

_HONOURED_WORDS = """
answerExpression choiceColumn answerOptionsToggleExpression calculatedExpression candidateExpression
choiceOrientation collapsible columnCount constraint cqf-calculatedValue cqf-expression definitionExtract
definitionExtractValue displayCategory enableWhenExpression entryFormat extractAllocateId hidden
initialExpression itemAnswerMedia itemControl itemExtractionContext itemMedia itemPopulationContext itemWeight
launchContext maxDecimalPlaces maxOccurs maxQuantity maxSize maxValue mimeType minLength minOccurs minQuantity
minValue observationExtract observation-extract-category observationExtractCategory observationExtractEntry
observationLinkPeriod openLabel optionExclusive optionPrefix ordinalValue preferredTerminologyServer
referenceProfile referenceResource allowedResource regex rendering-markdown rendering-style rendering-xhtml shortText
signatureRequired sliderStepValue sourceQueries supportLink targetConstraint templateExtract
extension-inline-sec-label templateExtractBundle templateExtractContext templateExtractValue terminology-server translation unit unitOption
unitValueSet unitOpen unitSupplementalSystem variable width instruction subQuestionnaire assembledFrom assembleContext
assemble-expectation optionalDisplay usageMode keyboard isSubject supportHyperlink
extension-Questionnaire.item.disabledDisplay disabledDisplay extension-Questionnaire.item.answerConstraint
coding-ordinalValue valueset-ordinalValue codesystem-ordinalValue
"""
OTHERS = frozenset(
    {
        "http://phr.kanta.fi/StructureDefinition/fiphr-ext-questionnaire-enablewhen",
        "http://ehelse.no/fhir/StructureDefinition/validationtext",
        "http://ehelse.no/fhir/StructureDefinition/repeatstext",
        "http://helsenorge.no/fhir/StructureDefinition/sdf-sublabel",
        ABSENT_REASONS,
    }
)
HONOURED = frozenset(_HONOURED_WORDS.split()) | OTHERS
_DESCRIPTIVE_WORDS = """
artifact-versionAlgorithm versionAlgorithm structuredefinition-wg structuredefinition-fmm fhirType
structuredefinition-standards-status structuredefinition-normative-version derivationType derivedFromArtifact
rendering-style rendering-styleSensitive cpg-knowledgeCapability cpg-knowledgeRepresentationLevel designNote
performerType endpoint itemContext cqf-library metadata crmi-messages valueset-label
valueset-reference referencesContained extension-Questionnaire.versionAlgorithm
"""
DESCRIPTIVE = frozenset(_DESCRIPTIVE_WORDS.split())


REASONS = {
    "targetStructureMap": "extraction by a StructureMap is not done here",
    "sourceStructureMap": "population by a StructureMap is not done here",
    "questionnaireAdaptive": "the next question is not asked for at a server: the form is shown as it stands",
    "contextExpression": "what the record says is not shown beside the question",
    "lookupQuestionnaire": "a reference is not entered by way of another form",
    "referenceFilter": "a reference is typed, not searched for: there is nothing to filter",
    "optionRestriction": "of an old draft of SDC; answerOptionsToggleExpression is its name now",
    "answerRepeats": "of an old draft of SDC; how often an answer repeats is said by `repeats`",
    "entryMode": "pages come one after the other, but a patient may always go back and put an answer right before sending",
    "externallydefined": "the options lie at an address of their own that is no value set",
    "http://lhcforms.nlm.nih.gov/fhir/StructureDefinition/questionnaire-externallydefined": "the options lie at an address of "
    "their own that is no value set",
    "http://helsenorge.no/fhir/StructureDefinition/sdf-information-message": "what the frame of helsenorge.no says: another "
    "frame stands around the form here",
    "http://helsenorge.no/fhir/StructureDefinition/sdf-sidebar": "what stands beside the form on helsenorge.no: nothing does here",
    "http://helsenorge.no/fhir/StructureDefintion/sdf-itemControl-visibility": "what helsenorge.no hides of its own; help, lines "
    "under questions and progress are shown here",
    "https://emr-core.beda.software/StructureDefinition/questionnaire-mapper": "a mapping in a language of its maker: extraction "
    "goes by templates, definitions and observations",
    "http://beda.software/fhir-extensions/questionnaire-mapper": "a mapping in a language of its maker: extraction goes by "
    "templates, definitions and observations",
    "cqif-library": "a library in CQL, which is not evaluated: its questions begin empty",
    "sub-questionnaire-expand": "the part is not looked up while the form is filled in: put the form together with $assemble",
    "prepopulate-subject": "whom the form is about is said by the visit",
}
"""What is known and not done, and what that means for whoever fills in the form."""
ALSO = frozenset(
    {
        "resourceType",
        "id",
        "extension",
        "linkId",
        "disabledDisplay",
        "fhir_comments",
        "copyrightLabel",
        "versionAlgorithmString",
        "versionAlgorithmCoding",
    }
)
"""Elements beside those of the model: R5's that are honoured, or that say nothing to who fills in the form."""


@dataclass(frozen=True, slots=True)
class Unhonoured:
    link_id: str
    feature: str
    reason: str


@dataclass(frozen=True, slots=True)
class Features:
    """`used` counts each feature; `not_honoured` names what the form asks for and does not get, and where."""

    used: Mapping[str, int] = field(default_factory=dict)
    not_honoured: tuple[Unhonoured, ...] = ()
    defects: tuple[Refusal, ...] = ()


@dataclass(slots=True)
class Findings:
    """`written`: the release the form was written for where that is not R4. `unheard`: ordinal -> features that are in a
    language nobody here speaks; `unheard_names`: variables that are."""

    written: tuple[str, ...] = ()
    refusals: list[Refusal] = field(default_factory=list)
    not_honoured: list[Unhonoured] = field(default_factory=list)
    defects: list[Refusal] = field(default_factory=list)
    unheard: dict[int, set[str]] = field(default_factory=dict)
    unheard_names: set[str] = field(default_factory=set)

    def refuse(self, link_id: str, code: str, reason: str) -> None:
        self.refusals.append(Refusal(link_id, code, reason))

    def miss(self, link_id: str, feature: str, reason: str) -> None:
        self.not_honoured.append(Unhonoured(link_id, feature, reason))

    def defect(self, link_id: str, code: str, reason: str) -> None:
        """Against the standard, and without effect on how the form is asked."""
        self.defects.append(Refusal(link_id, code, reason, "warning"))

    def features(self, items: list[Item], raw: Json) -> Features:
        used: Counter[str] = Counter(f"written for {release}" for release in self.written)
        missed: dict[tuple[str, str], Unhonoured] = {(m.link_id, m.feature): m for m in self.not_honoured}
        for link_id, element in [("", raw), *((item.link_id, item.raw) for item in items)]:
            for name in _extension_names(element):
                used[name] += 1
                if name not in HONOURED and name not in DESCRIPTIVE and not _in_our_order(name, element):
                    reason = REASONS.get(name, "an extension this engine does not know")
                    missed.setdefault((link_id, name), Unhonoured(link_id, name, reason))
            for name in _unknown_elements(element, "Questionnaire.item" if element is not raw else "Questionnaire"):
                missed.setdefault(
                    (link_id, name), Unhonoured(link_id, name, "no element of FHIR R4; it is passed over")
                )
        for item in items:
            used[f"type:{item.type}"] += 1
            used.update(f"itemControl:{code}" for code in item.controls)
            used.update(
                name for name in ("required", "readOnly", "repeats", "initial", "maxLength") if item.raw.get(name)
            )
            used.update(f"enableWhen:{condition.operator}" for condition in item.conditions)
        return Features(dict(sorted(used.items())), tuple(missed.values()), tuple(self.defects))


def _in_our_order(name: str, element: Json) -> bool:
    """Pages are asked in any order, or each after those before it is done."""
    return name == "entryMode" and ext.value(ext.of(element), name) in ("random", "prior-edit")


def _unknown_elements(element: Json, type_name: str) -> list[str]:
    known = r4().type(type_name)
    elements = known.elements if known is not None else {}
    return [name for name in element if name.lstrip("_") not in elements and name.lstrip("_") not in ALSO]


def _extension_names(element: Json) -> list[str]:
    """Names of the extensions on an element and on its own parts, but not on its nested items."""
    found: list[str] = []
    stack: list[object] = [{k: v for k, v in element.items() if k not in ("item", "contained", "text")}]
    stack.append(
        {"_text": element.get("_text"), "text": element.get("text") if isinstance(element.get("text"), dict) else None}
    )
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(current)
        elif isinstance(current, dict):
            found.extend(ext.of(current))
            stack.extend(v for k, v in current.items() if k != "extension" and isinstance(v, (dict, list)))
    return found
