"""A form that only this clinic has, with answers from its own lists: where people travel to, and which pharmacy they use."""

from __future__ import annotations

from portal.sandbox.seeds.pieces import Resource

BASE = "https://springfield.example/fhir"
COUNTRIES = (
    ("AR", "Argentina", "Argentina"), ("AU", "Australia", "Australia"), ("BD", "Bangladesh", "Bangladés"),
    ("BO", "Bolivia", "Bolivia"), ("BR", "Brazil", "Brasil"), ("KH", "Cambodia", "Camboya"), ("CA", "Canada", "Canadá"),
    ("CL", "Chile", "Chile"), ("CN", "China", "China"), ("CO", "Colombia", "Colombia"), ("CR", "Costa Rica", "Costa Rica"),
    ("CU", "Cuba", "Cuba"), ("DO", "Dominican Republic", "República Dominicana"), ("EC", "Ecuador", "Ecuador"),
    ("EG", "Egypt", "Egipto"), ("SV", "El Salvador", "El Salvador"), ("ET", "Ethiopia", "Etiopía"),
    ("FR", "France", "Francia"), ("DE", "Germany", "Alemania"), ("GH", "Ghana", "Ghana"), ("GR", "Greece", "Grecia"),
    ("GT", "Guatemala", "Guatemala"), ("HT", "Haiti", "Haití"), ("HN", "Honduras", "Honduras"), ("IN", "India", "India"),
    ("ID", "Indonesia", "Indonesia"), ("IT", "Italy", "Italia"), ("JM", "Jamaica", "Jamaica"), ("JP", "Japan", "Japón"),
    ("KE", "Kenya", "Kenia"), ("MY", "Malaysia", "Malasia"), ("MX", "Mexico", "México"), ("MA", "Morocco", "Marruecos"),
    ("NP", "Nepal", "Nepal"), ("NI", "Nicaragua", "Nicaragua"), ("NG", "Nigeria", "Nigeria"), ("PK", "Pakistan", "Pakistán"),
    ("PA", "Panama", "Panamá"), ("PE", "Peru", "Perú"), ("PH", "Philippines", "Filipinas"), ("PL", "Poland", "Polonia"),
    ("PT", "Portugal", "Portugal"), ("SN", "Senegal", "Senegal"), ("ZA", "South Africa", "Sudáfrica"),
    ("KR", "South Korea", "Corea del Sur"), ("ES", "Spain", "España"), ("LK", "Sri Lanka", "Sri Lanka"),
    ("SE", "Sweden", "Suecia"), ("TZ", "Tanzania", "Tanzania"), ("TH", "Thailand", "Tailandia"), ("TR", "Turkey", "Turquía"),
    ("UG", "Uganda", "Uganda"), ("GB", "United Kingdom", "Reino Unido"), ("VE", "Venezuela", "Venezuela"),
    ("VN", "Vietnam", "Vietnam"), ("ZM", "Zambia", "Zambia"),
)  # fmt: skip
PHARMACIES = (
    ("main", "Main Street Pharmacy", "Farmacia Main Street"),
    ("north", "Northside Drugs", "Northside Drugs"),
    ("river", "Riverbank Pharmacy", "Farmacia Riverbank"),
    ("mail", "By mail", "Por correo"),
)


def forms() -> list[Resource]:
    """Value sets before the form that uses them."""
    return [
        _value_set("countries", "Countries people travel to", "urn:iso:std:iso:3166", COUNTRIES),
        _value_set("pharmacies", "Pharmacies we send to", f"{BASE}/CodeSystem/pharmacies", PHARMACIES),
        _travel(),
    ]


def _value_set(name: str, title: str, system: str, codes: tuple[tuple[str, str, str], ...]) -> Resource:
    concepts = [
        {"code": code, "display": english, "designation": [{"language": "es", "value": spanish}]}
        for code, english, spanish in codes
    ]
    return {
        "resourceType": "ValueSet",
        "id": name,
        "url": f"{BASE}/ValueSet/{name}",
        "version": "1",
        "title": title,
        "status": "active",
        "compose": {"include": [{"system": system, "concept": concepts}]},
    }


def _travel() -> Resource:
    pharmacy = _item("pharmacy", "choice", "Which pharmacy should we send to?", "¿A qué farmacia lo enviamos?")
    where = _item("where", "choice", "Which countries are you going to?", "¿A qué países va?")
    return {
        "resourceType": "Questionnaire",
        "id": "before-a-journey",
        "url": f"{BASE}/Questionnaire/before-a-journey",
        "version": "1.0",
        "title": "Before a journey",
        "_title": _spanish("Antes de un viaje"),
        "language": "en",
        "status": "active",
        "date": "2026-05-04",
        "item": [
            where | {"required": True, "repeats": True, "answerValueSet": f"{BASE}/ValueSet/countries", **_searched()},
            _item("leaving", "date", "When do you leave?", "¿Cuándo se va?") | {"required": True},
            _item("long", "boolean", "Will you be away for more than a month?", "¿Estará fuera más de un mes?"),
            pharmacy | {"answerValueSet": f"{BASE}/ValueSet/pharmacies"},
            _item("more", "text", "Is there anything you worry about?", "¿Hay algo que le preocupe?"),
        ],
    }


def _item(link_id: str, kind: str, english: str, spanish: str) -> Resource:
    return {"linkId": link_id, "type": kind, "text": english, "_text": _spanish(spanish)}


def _searched() -> Resource:
    coding = {"system": "http://hl7.org/fhir/questionnaire-item-control", "code": "autocomplete"}
    url = "http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl"
    return {"extension": [{"url": url, "valueCodeableConcept": {"coding": [coding]}}]}


def _spanish(words: str) -> Resource:
    translation = [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": words}]
    return {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/translation", "extension": translation}]}
