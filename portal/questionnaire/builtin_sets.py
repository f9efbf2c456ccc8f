"""Small value sets that FHIR itself defines and that forms refer to everywhere."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_VS, _CS, _V3 = "http://hl7.org/fhir/ValueSet/", "http://terminology.hl7.org/CodeSystem/", "v3-NullFlavor"


def _set(*parts: tuple[str, str]) -> Json:
    """A ValueSet from (system, "code=Display; code=Display") pairs."""
    includes = [
        {
            "system": system,
            "concept": [
                {"code": code.strip(), "display": display.strip()}
                for code, display in (entry.split("=", 1) for entry in concepts.split(";"))
            ],
        }
        for system, concepts in parts
    ]
    return {"resourceType": "ValueSet", "compose": {"include": includes}}


_YES_NO = (f"{_CS}v2-0136", "Y=Yes; N=No")
_EXPANDED = f"{_CS}v2-0532"
_MARITAL = (
    "A=Annulled; D=Divorced; I=Interlocutory; L=Legally Separated; M=Married; P=Polygamous; "
    "S=Never Married; T=Domestic partner; U=unmarried; W=Widowed"
)
_GENDER = _set(("http://hl7.org/fhir/administrative-gender", "male=Male; female=Female; other=Other; unknown=Unknown"))

BUILTIN: dict[str, Json] = {
    f"{_VS}administrative-gender": _GENDER,
    f"{_VS}yesnodontknow": _set(_YES_NO, (f"{_CS}data-absent-reason", "asked-unknown=Don't know")),
    "http://terminology.hl7.org/ValueSet/v2-0136": _set(_YES_NO),
    f"{_VS}v2-0136": _set(_YES_NO),
    "http://terminology.hl7.org/ValueSet/yes-no-unknown-not-asked": _set(
        (_EXPANDED, "Y=Yes; N=No; ASKU=Unknown; NASK=Not Asked")
    ),
    "http://terminology.hl7.org/ValueSet/yes-no-unknown-not-applicable": _set(
        (_EXPANDED, "Y=Yes; N=No"), (f"{_CS}{_V3}", "UNK=unknown; NA=not applicable")
    ),
    f"{_VS}marital-status": _set((f"{_CS}v3-MaritalStatus", _MARITAL), (f"{_CS}{_V3}", "UNK=unknown")),
    f"{_VS}contact-point-system": _set(
        (
            "http://hl7.org/fhir/contact-point-system",
            "phone=Phone; fax=Fax; email=Email; pager=Pager; url=URL; sms=SMS; other=Other",
        )
    ),
    f"{_VS}contact-point-use": _set(
        ("http://hl7.org/fhir/contact-point-use", "home=Home; work=Work; temp=Temp; old=Old; mobile=Mobile")
    ),
    f"{_VS}address-use": _set(
        (
            "http://hl7.org/fhir/address-use",
            "home=Home; work=Work; temp=Temporary; old=Old / Incorrect; billing=Billing",
        )
    ),
    f"{_VS}name-use": _set(
        (
            "http://hl7.org/fhir/name-use",
            "usual=Usual; official=Official; temp=Temp; nickname=Nickname; anonymous=Anonymous; old=Old; "
            "maiden=Name changed for Marriage",
        )
    ),
    f"{_VS}item-type": _set(
        (
            "http://hl7.org/fhir/item-type",
            "group=Group; display=Display; boolean=Boolean; decimal=Decimal; integer=Integer; date=Date; "
            "dateTime=Date Time; time=Time; string=String; text=Text; url=Url; choice=Choice; "
            "open-choice=Open Choice; attachment=Attachment; reference=Reference; quantity=Quantity",
        )
    ),
    f"{_VS}observation-status": _set(
        (
            "http://hl7.org/fhir/observation-status",
            "registered=Registered; preliminary=Preliminary; final=Final; amended=Amended; corrected=Corrected; "
            "cancelled=Cancelled; entered-in-error=Entered in Error; unknown=Unknown",
        )
    ),
}
