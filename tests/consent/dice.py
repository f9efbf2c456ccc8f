"""Random consents and requests, the same for the same number, for the portal's decision and for the independent reference."""

import random
from datetime import UTC, datetime, timedelta

from portal.consent import codes
from portal.consent.decision import Policy, Request, Resource, decide
from portal.consent.provisions import read
from tests.consent import reference
from tests.consent.make import BASE, ZONE, consent

OTHER = "https://other.example.org/fhir"
PURPOSES = [(codes.ACT_REASON, each) for each in ("TREAT", "HPAYMT", "HOPERAT", "HRESCH", "BTG", "ETREAT", "CLINTRCH")]
PURPOSES.append(("http://example.org/purposes", "FooBar"))
LABELS = [(codes.CONFIDENTIALITY, each) for each in "LNRV"]
LABELS += [(codes.ACT_CODE, each) for each in ("PSY", "SDV", "HIV", "ETH", "ETHUD", "OPIOIDUD")]
LABELS.append(("http://example.org/local", "vip"))
PEOPLE = [
    "Practitioner/x",
    "Practitioner/y",
    "Organization/o",
    "Group/g",
    f"{OTHER}/Practitioner/x",
    "PractitionerRole/r/_history/2",
]
THINGS = ["Observation/1", "Observation/2", "Encounter/1"]
DATES = ["2025", "2026", "2026-03", "2026-03-08", "2026-11-01", "2026-11-02T00:00:00-05:00", "2026-12-31T23:59:59.5Z"]
POLICIES = {
    "basic-normal": Policy.BASIC_NORMAL,
    "all-normal": Policy.ALL_AUTHORIZED,
    "break-glass-only": Policy.BREAK_GLASS_ONLY,
    "deny": Policy.DENY,
}


class Dice:
    """Consents and requests that meet each other often enough for every rule to matter."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def maybe(self, chance):
        return self.random.random() < chance

    def some(self, pool, least=1, most=3):
        return self.random.sample(pool, min(len(pool), self.random.randint(least, most)))

    def coding(self, pair):
        made = {"system": pair[0], "code": pair[1]}
        if self.maybe(0.03):
            made.pop("system")
        return made

    def reference(self, pool):
        if self.maybe(0.06):
            return {"display": "somebody"}
        if self.maybe(0.1):
            return {"identifier": {"system": "urn:npi", "value": self.random.choice("12")}}
        return {"reference": self.random.choice(pool)}

    def actor(self):
        role = "IRCP" if not self.maybe(0.05) else "CST"
        return {
            "role": {"coding": [{"system": codes.PARTICIPATION, "code": role}]},
            "reference": self.reference(PEOPLE),
        }

    def data(self):
        meaning = self.random.choice(["instance", "related", "authoredby", "dependents"])
        pool = PEOPLE if meaning == "authoredby" else THINGS
        return {"meaning": meaning, "reference": self.reference(pool)}

    def period(self):
        start, end = sorted(self.some(DATES, 2, 2), key=lambda text: reference.whole(text, ZONE))
        sides = {"start": start, "end": end}
        if self.maybe(0.5):
            sides.pop(self.random.choice(["start", "end"]))
        return sides

    def provision(self, nested):
        made = {"type": self.random.choice(["permit", "permit", "deny"])}
        if self.maybe(0.5):
            made["purpose"] = [self.coding(pair) for pair in self.some(PURPOSES, 1, 4)]
        if self.maybe(0.3):
            made["actor"] = [self.actor() for _ in range(self.random.randint(1, 2))]
        if self.maybe(0.3):
            made["securityLabel"] = [self.coding(pair) for pair in self.some(LABELS)]
        if self.maybe(0.2):
            made["data"] = [self.data() for _ in range(self.random.randint(1, 2))]
        if self.maybe(0.2):
            made["dataPeriod"] = self.period()
        if self.maybe(0.2):
            made["period"] = self.period()
        if self.maybe(0.05):
            made[self.random.choice(["code", "class", "action"])] = [{"coding": [{"code": "x"}]}]
        if nested:
            made["provision"] = [self.provision(0) for _ in range(nested)]
        return made

    def consent(self, number):
        made = consent(self.provision(self.random.choice([0, 0, 1, 1, 2, 3])), id=f"c{number}")
        made["patient"] = {
            "reference": self.random.choice(["Patient/p", "Patient/p", "Patient/p", "Patient/old", "Patient/q"])
        }
        if self.maybe(0.15):
            made["status"] = self.random.choice(["inactive", "draft", "rejected", "entered-in-error", "surprise"])
        if self.maybe(0.05):
            made["scope"]["coding"][0]["code"] = self.random.choice(["research", "treatment", "new"])
        if self.maybe(0.05):
            del made["provision"]["type"]
        if self.maybe(0.05):
            made["policyRule"] = {
                "coding": [{"system": codes.ACT_CODE, "code": self.random.choice(["OPTIN", "OPTOUT"])}]
            }
        if self.maybe(0.02):
            made["modifierExtension"] = [{"url": "urn:x"}]
        if self.maybe(0.02) and made["provision"].get("provision"):
            made["provision"]["provision"][0]["provision"] = [{"type": "permit"}]
        return (OTHER if self.maybe(0.1) else BASE), made

    def ask(self):
        moment = datetime(2026, 3, 7, tzinfo=UTC) + timedelta(hours=self.random.randint(-9000, 9000))
        instant = self.random.choice(
            [moment, reference.whole(self.random.choice(DATES), ZONE)[self.random.randint(0, 1)]]
        )
        absolute = [reference.meant({"reference": each}, BASE).pop() for each in PEOPLE]
        return {
            "now": instant.astimezone(UTC) - timedelta(microseconds=self.random.choice([0, 1])),
            "zone": ZONE,
            "patients": {f"{BASE}/Patient/p"} | ({f"{BASE}/Patient/old"} if self.maybe(0.5) else set()),
            "actor": set(self.some([*absolute, "urn:npi|1"], 1, 3)),
            "purpose": self.random.choice(PURPOSES),
            "identities": {f"{BASE}/{self.random.choice(THINGS)}"},
            "authors": set(self.some(absolute, 0, 1)),
            "related": {f"{BASE}/Encounter/1"} if self.maybe(0.4) else set(),
            "dates": self.some(DATES, 0, 2),
            "labels": set(self.some(LABELS, 0, 3)),
            "clinician": self.maybe(0.5),
            "privileged": self.maybe(0.5),
            "policy": self.random.choice(list(POLICIES)),
        }


def request(asked):
    return Request(
        now=asked["now"],
        zone=asked["zone"],
        patients=frozenset(asked["patients"]),
        actor=frozenset(asked["actor"]),
        purpose="|".join(asked["purpose"]),
        clinician=asked["clinician"],
        privileged=asked["privileged"],
        resource=Resource(
            type="Observation",
            identities=frozenset(asked["identities"]),
            authors=frozenset(asked["authors"]),
            related=frozenset(asked["related"]),
            dates=tuple(asked["dates"]),
            labels=frozenset("|".join(each) for each in asked["labels"]),
        ),
    )


def difference(case):
    """What the reference says of this case ("permit" or "deny"), and what the portal says where that is something else."""
    dice = Dice(case)
    consents = [dice.consent(number) for number in range(dice.random.choice([0, 1, 1, 2, 3]))]
    rules = [read(made, base=base, zone=ZONE) for base, made in consents]
    asked = dice.ask()
    expected = reference.verdict(consents, asked)
    decided = decide(request(asked), rules, POLICIES[asked["policy"]])
    said = "permit" if decided.permit else "deny"
    return expected, None if said == expected else (case, consents, asked, decided)
