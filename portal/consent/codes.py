"""The codes a consent decision turns on: purposes of use and security labels, with the hierarchies we declare. Pure."""

from collections.abc import Iterable
from functools import lru_cache

ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"

BREAK_GLASS = f"{ACT_REASON}|BTG"
TREATMENT = f"{ACT_REASON}|TREAT"

# v3-ActReason, PurposeOfUse: a child and what it is a kind of. BTG stands under ETREAT there and is left out on
# purpose: nobody gets in under emergency rules by a hierarchy.
_PURPOSE_PARENTS = {
    "CAREMGT": "TREAT",
    "CLINTRCH": "HRESCH",
    "CLINTRCHNPC": "CLINTRCH",
    "CLINTRCHPC": "CLINTRCH",
    "PRECLINTRCH": "CLINTRCH",
    "COC": "TREAT",
    "ETREAT": "TREAT",
    "ERTREAT": "ETREAT",
    "POPHLTH": "TREAT",
    "TREATDS": "TREAT",
    "BIORCH": "HRESCH",
    "DSRCH": "HRESCH",
    "POARCH": "HRESCH",
    "TRANSRCH": "HRESCH",
    "CLMATTCH": "HPAYMT",
    "COVAUTH": "HPAYMT",
    "COVERAGE": "HPAYMT",
    "ELIGDTRM": "COVERAGE",
    "ELIGVER": "COVERAGE",
    "ENROLLM": "COVERAGE",
    "MILDCRG": "COVERAGE",
    "REMITADV": "HPAYMT",
    "DONAT": "HOPERAT",
    "FRAUD": "HOPERAT",
    "GOV": "HOPERAT",
    "HACCRED": "HOPERAT",
    "HCOMPL": "HOPERAT",
    "HDECD": "HOPERAT",
    "HDIRECT": "HOPERAT",
    "HDM": "HOPERAT",
    "HLEGAL": "HOPERAT",
    "HOUTCOMS": "HOPERAT",
    "HPRGRP": "HOPERAT",
    "HQUALIMP": "HOPERAT",
    "HSYSADMIN": "HOPERAT",
    "PATADMIN": "HOPERAT",
    "PATSFTY": "HOPERAT",
    "RECORDMGT": "HOPERAT",
    "TRAIN": "HOPERAT",
    "FAMRQT": "PATRQT",
    "PWATRNY": "PATRQT",
    "SUPNWK": "PATRQT",
    "DISASTER": "PUBHLTH",
    "THREAT": "PUBHLTH",
}

PURPOSES_BUT_BREAK_GLASS = ("TREAT", "HPAYMT", "HOPERAT", "HRESCH", "HMARKT", "PATRQT", "PUBHLTH")
"""Every kind of use there is in PurposeOfUse, each with all kinds of it, but not breaking the glass."""

# v3-ActCode, InformationSensitivityPolicy: a narrower sensitivity and the wider one it belongs to.
_SENSITIVITY_PARENTS = {"ETHUD": "ETH", "OPIOIDUD": "ETH", "ALC": "ETH", "MH": "PSY", "PSYTHPN": "PSY", "DVD": "SDV"}

# v3-ActCode also carries handling instructions; they say how to treat data, not how sensitive it is.
_HANDLING = frozenset({"NOAUTH", "NORDSLCD", "NODSCLCD", "ENCRYPT", "CPLYCD", "DEID", "PSEUD", "MASK", "REDACT"})
_NOT_LABELS = frozenset({ACT_REASON, OBSERVATION_VALUE})  # test markers, integrity and alteration tags

LEVELS = ("U", "L", "M", "N", "R", "V")
_CONFIDENTIALITY = {f"{CONFIDENTIALITY}|{level}": rank for rank, level in enumerate(LEVELS)}
_RESTRICTED = f"{CONFIDENTIALITY}|R"


def _lineage(system: str, code: str, parents: dict[str, str]) -> frozenset[str]:
    line = [code]
    while line[-1] in parents:
        line.append(parents[line[-1]])
    return frozenset(f"{system}|{each}" for each in line)


_PURPOSE_LINES = {f"{ACT_REASON}|{code}": _lineage(ACT_REASON, code, _PURPOSE_PARENTS) for code in _PURPOSE_PARENTS}
_LABEL_LINES = {f"{ACT_CODE}|{code}": _lineage(ACT_CODE, code, _SENSITIVITY_PARENTS) for code in _SENSITIVITY_PARENTS}


def code(system: object, value: object) -> str:
    """A code as one comparable text, `system|code`."""
    return f"{system or ''}|{value}"


def purpose_line(purpose: str) -> frozenset[str]:
    """The purpose and every purpose it is declared to be a kind of; BTG is only itself."""
    return _PURPOSE_LINES.get(purpose) or frozenset({purpose})


def label_line(label: str) -> frozenset[str]:
    return _LABEL_LINES.get(label) or frozenset({label})


def is_level(label: str) -> bool:
    return label in _CONFIDENTIALITY


def sensitivities(labels: Iterable[str]) -> frozenset[str]:
    """Every label that says what the data is about; a label nobody here knows counts as one (it narrows)."""
    return frozenset(label for label in labels if _counts(label) and not is_level(label))


def _counts(label: str) -> bool:
    system, _, value = label.rpartition("|")
    return system not in _NOT_LABELS and not (system == ACT_CODE and value in _HANDLING)


def level(labels: Iterable[str]) -> str:
    """The confidentiality the data has: the highest it carries; sensitive or unlabelled data is at least restricted."""
    known = [label for label in labels if is_level(label)]
    if sensitivities(labels) or not known:
        known.append(_RESTRICTED)
    return max(known, key=_CONFIDENTIALITY.__getitem__)


@lru_cache(maxsize=4096)
def covers(listed: frozenset[str], labels: frozenset[str]) -> bool:
    """Whether a permit that lists these labels reaches data with those: its level is listed, or all it is about is."""
    if level(labels) in listed:
        return True
    about = sensitivities(labels)
    return bool(about) and all(label_line(label) & listed for label in about)


@lru_cache(maxsize=4096)
def touches(listed: frozenset[str], labels: frozenset[str]) -> bool:
    """Whether a refusal that lists these labels reaches data with those: a label, wider or narrower, or a level as high."""
    about = sensitivities(labels)
    lines = frozenset().union(*(label_line(label) for label in about))
    if lines & listed or any(label_line(each) & about for each in listed):
        return True
    levels = [_CONFIDENTIALITY[each] for each in listed if is_level(each)]
    return bool(levels) and _CONFIDENTIALITY[level(labels)] >= min(levels)
