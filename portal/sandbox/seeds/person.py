"""The invented people: who they are, and in one sentence what to try with them. Phone numbers are the fictional 555-01xx."""

from __future__ import annotations

from dataclasses import dataclass

from portal.sandbox.seeds.pieces import MRN, Resource


@dataclass(frozen=True)
class Person:
    """`id` is the id of the Patient resource; `languages` BCP 47, the preferred one first."""

    id: str
    given: tuple[str, ...]
    family: str
    born: str
    gender: str
    mrn: str
    phone: str
    sentence: str
    address: tuple[str, str, str, str]
    languages: tuple[str, ...] = ("en",)
    email: str | None = None

    @property
    def name(self) -> str:
        return f"{self.given[0]} {self.family}"

    def patient(self) -> Resource:
        """The Patient resource."""
        line, city, state, postal_code = self.address
        telecom = [{"system": "phone", "value": self.phone, "use": "mobile", "rank": 1}]
        if self.email:
            telecom.append({"system": "email", "value": self.email, "use": "home"})
        return {
            "resourceType": "Patient",
            "id": self.id,
            "identifier": [
                {
                    "use": "usual",
                    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
                    "system": MRN,
                    "value": self.mrn,
                }
            ],
            "active": True,
            "name": [{"use": "official", "family": self.family, "given": list(self.given)}],
            "telecom": telecom,
            "gender": self.gender,
            "birthDate": self.born,
            "address": [
                {
                    "use": "home",
                    "line": [line],
                    "city": city,
                    "state": state,
                    "postalCode": postal_code,
                    "country": "US",
                }
            ],
            "communication": [
                {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": tag}]}, "preferred": index == 0}
                for index, tag in enumerate(self.languages)
            ],
            "managingOrganization": {"reference": "Organization/clinic"},
        }


HERE = ("Springfield", "IL", "62701")

PEOPLE = (
    Person(
        "ana-morales",
        ("Ana", "Lucía"),
        "Morales",
        "1984-03-12",
        "female",
        "100001",
        "+12175550101",
        "has a check-up tomorrow: two medicines, a penicillin allergy, diabetes and high blood pressure, insurance, labs.",
        ("18 Maple Street", *HERE),
        email="ana.morales@example.com",
    ),
    Person(
        "lucia-ortega",
        ("Lucía",),
        "Ortega Ruiz",
        "1971-09-30",
        "female",
        "100002",
        "+12175550102",
        "prefers Spanish and comes in five days for her asthma.",
        ("402 Walnut Avenue", *HERE),
        ("es", "en"),
        "lucia.ortega@example.com",
    ),
    Person(
        "noah-bennett",
        ("Noah", "James"),
        "Bennett",
        "2018-05-14",
        "male",
        "100003",
        "+12175550104",
        "is a child with a peanut allergy, seen today; his mother Grace answers for him.",
        ("77 Oak Lane", *HERE),
    ),
    Person(
        "grace-bennett",
        ("Grace",),
        "Bennett",
        "1988-01-25",
        "female",
        "100004",
        "+12175550104",
        "is Noah's mother and a patient herself, with a follow-up in five days.",
        ("77 Oak Lane", *HERE),
        email="grace.bennett@example.com",
    ),
    Person(
        "kwame-mensah",
        ("Kwame",),
        "Mensah",
        "1962-07-08",
        "male",
        "100005",
        "+12175550105",
        "has eight years of labs with a reference range that changed, a result below the limit, and a visit tomorrow.",
        ("5 Birch Court", *HERE),
        email="kwame.mensah@example.com",
    ),
    Person(
        "mei-chen",
        ("Mei", "Lin"),
        "Chen",
        "1979-12-02",
        "female",
        "100006",
        "+12175550106",
        "had a potassium result that the laboratory corrected after it was released.",
        ("231 Pine Street", *HERE),
        ("en", "zh"),
        "mei.chen@example.com",
    ),
    Person(
        "maria-garcia-a",
        ("Maria",),
        "Garcia",
        "1990-03-04",
        "female",
        "100007",
        "+12175550107",
        "looks like another patient: same name and year of birth, a different person.",
        ("9 Cedar Road", *HERE),
        email="maria.garcia@example.com",
    ),
    Person(
        "maria-garcia-b",
        ("Maria",),
        "Garcia",
        "1990-11-23",
        "female",
        "100008",
        "+12175550108",
        "is the other Maria Garcia born in 1990.",
        ("640 Elm Street", *HERE),
        email="mgarcia90@example.org",
    ),
    Person(
        "robert-hughes",
        ("Robert",),
        "Hughes",
        "1955-06-17",
        "male",
        "100009",
        "+12175550109",
        "has \u201cno known allergies\u201d on record and a visit tomorrow.",
        ("1200 Lincoln Drive", *HERE),
        email="robert.hughes@example.com",
    ),
    Person(
        "fatima-sayed",
        ("Fatima",),
        "El-Sayed",
        "1996-02-19",
        "female",
        "100010",
        "+12175550110",
        "is new: nothing is recorded about her yet, and she comes tomorrow.",
        ("31 River Walk", *HERE),
        ("en", "ar"),
        "fatima.elsayed@example.com",
    ),
    Person(
        "oliver-lindqvist",
        ("Oliver",),
        "Lindqvist",
        "2001-10-05",
        "male",
        "100011",
        "+12175550111",
        "has migraines and a medicine but not one result.",
        ("88 Station Road", *HERE),
        email="oliver.lindqvist@example.com",
    ),
    Person(
        "priya-raman",
        ("Priya",),
        "Raman",
        "1993-08-21",
        "female",
        "100012",
        "+12175550112",
        "has results of every kind: words, codes, panels, one still preliminary and one that could not be measured.",
        ("14 Garden Terrace", *HERE),
        email="priya.raman@example.com",
    ),
    Person(
        "mai-tran",
        ("Mai", "Thi"),
        "Tran",
        "1946-04-11",
        "female",
        "100013",
        "+12175550113",
        "takes six medicines, was here yesterday, and her son helps her.",
        ("560 Lakeview Boulevard", *HERE),
        ("vi", "en"),
    ),
    Person(
        "alex-nowak",
        ("Alex",),
        "Nowak",
        "1987-11-30",
        "other",
        "100014",
        "+12175550114",
        "has a record with loose ends: a refuted allergy, a stopped medicine, insurance that ended, a cancelled visit.",
        ("3 Harbour Street", *HERE),
        email="alex.nowak@example.com",
    ),
)
BY_ID = {person.id: person for person in PEOPLE}
