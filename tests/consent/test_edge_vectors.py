"""Vectors E01–E21 and E28–E37: edges of the decision itself. (Redaction E22–E25 and the sinks E26–E27 have their own files.)"""

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.consent import codes
from portal.consent.decision import Filed, Policy, as_of, decide
from portal.consent.provisions import read
from tests.consent.make import (
    BASE,
    DR_X,
    NOW,
    PATIENT,
    PRIVILEGED,
    ZONE,
    ask,
    consent,
    decision,
    deny,
    inner,
    label,
    permit,
    permits,
    reason,
    recipient,
    resource,
)

CLINICIAN = ask("TREAT")
FRONT_DESK = ask("HOPERAT", clinician=False)
RESEARCHER = ask("HRESCH", clinician=False)
GLASS = ask("BTG", privileged=True)
GLASS_BY_OTHERS = ask("BTG")
X = recipient("Practitioner/ex-practitioner")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(Policy.BASIC_NORMAL, (True, False, False, False, False), id="E01 basic-normal"),
        pytest.param(Policy.ALL_AUTHORIZED, (True, True, True, True, False), id="E02 all-normal"),
        pytest.param(Policy.BREAK_GLASS_ONLY, (False, False, False, True, False), id="E03 break-glass-only"),
        pytest.param(Policy.DENY, (False, False, False, False, False), id="E04 deny"),
    ],
)
def test_e01_to_e04_without_consent_the_chosen_policy_decides(policy, expected):
    asked = (CLINICIAN, FRONT_DESK, RESEARCHER, GLASS, GLASS_BY_OTHERS)
    made = [decision([], request, policy) for request in asked]
    assert tuple(each.permit for each in made) == expected
    assert {each.policy for each in made} == {policy}


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"])
def test_e05_a_consent_not_in_force_is_ignored(status):
    made = decision(consent(deny(), status=status), CLINICIAN, Policy.BASIC_NORMAL)
    assert made.permit and made.policy == Policy.BASIC_NORMAL


def test_e06_a_newer_refusal_beats_an_older_permission():
    older, newer = consent(dateTime="2020-01-01"), consent(deny(), id="c2", dateTime="2022-01-01")
    assert not permits([older, newer], CLINICIAN)


def test_e07_an_older_refusal_holds_until_it_is_taken_back():
    older, newer = consent(deny(), dateTime="2020-01-01"), consent(id="c2", dateTime="2022-01-01")
    assert not permits([older, newer], CLINICIAN)
    assert permits([{**older, "status": "inactive"}, newer], CLINICIAN)


def untyped(rule):
    provision = {name: held for name, held in permit().items() if name != "type"}
    return consent(provision, policyRule={"coding": [{"system": codes.ACT_CODE, "code": rule}]} if rule else None)


@pytest.mark.parametrize(
    ("rule", "expected", "alerts"), [("OPTIN", True, 0), ("OPTOUT", False, 0), (None, False, 1), ("X", False, 1)]
)
def test_e08_an_untyped_root_takes_its_type_from_the_policy_rule(rule, expected, alerts):
    made = decision(untyped(rule), CLINICIAN, Policy.ALL_AUTHORIZED)
    assert (made.permit, len(made.alerts)) == (expected, alerts)


def test_e08_a_root_that_contradicts_its_policy_rule_is_not_understood():
    made = decision(consent(policyRule={"coding": [{"system": codes.ACT_CODE, "code": "OPTOUT"}]}), CLINICIAN)
    assert not made.permit and made.alerts


MODIFIER = [{"url": "http://example.org/not-really", "valueBoolean": True}]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(consent(modifierExtension=MODIFIER), id="on the consent"),
        pytest.param(consent(permit(modifierExtension=MODIFIER)), id="on the root"),
        pytest.param(consent(permit(inner("permit", modifierExtension=MODIFIER))), id="nested"),
        pytest.param(consent(permit(actor=[{**X, "modifierExtension": MODIFIER}])), id="on an actor"),
        pytest.param(consent(implicitRules="http://example.org/rules"), id="implicit rules"),
    ],
)
def test_e09_an_unknown_modifier_refuses_and_alerts(changed):
    made = decision(changed, ask(actor=(DR_X,)), Policy.ALL_AUTHORIZED)
    assert not made.permit and made.alerts


def test_e10_rules_nested_twice_refuse_and_alert():
    made = decision(consent(permit(inner("deny", provision=[inner("permit")]))), CLINICIAN, Policy.ALL_AUTHORIZED)
    assert not made.permit and made.alerts


def test_e11_a_period_in_the_future_is_not_in_force_yet():
    assert decision(consent(permit(period={"start": "2022-07-02"})), CLINICIAN).policy == Policy.DENY


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, tzinfo=ZONE), False),
        (datetime(2026, 1, 1, tzinfo=ZONE), True),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=ZONE), True),
        (datetime(2027, 1, 1, tzinfo=ZONE), False),
    ],
)
def test_e11_a_year_is_the_whole_year(now, expected):
    assert permits(consent(permit(period={"start": "2026", "end": "2026"})), ask(now=now)) is expected


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Europe/Berlin", "Pacific/Auckland", "Asia/Kathmandu", "America/St_Johns"]
)
@pytest.mark.parametrize("day", ["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-09-27", "2026-06-30"])
def test_e12_a_last_day_ends_at_the_clinics_midnight_even_when_clocks_change(zone, day):
    clinic = ZoneInfo(zone)
    midnight = datetime.combine(
        datetime.fromisoformat(day).date() + timedelta(days=1), datetime.min.time(), clinic
    ).astimezone(UTC)
    rules = [read(consent(permit(period={"end": day})), base=BASE, zone=clinic)]
    moments = {midnight - timedelta(seconds=1): True, midnight: False, midnight + timedelta(seconds=1): False}
    asked = {moment: decide(ask(now=moment, zone=clinic), rules, Policy.DENY).permit for moment in moments}
    assert asked == moments


def test_e13_normal_data_about_mental_health_is_not_normal():
    assert not permits(consent(permit(securityLabel=[label("N")])), ask(of=resource("N", "PSY")))


def test_e14_data_without_labels_is_restricted():
    unlabelled = replace(resource(), labels=frozenset())
    assert not permits(consent(permit(securityLabel=[label("N")])), ask(of=unlabelled))
    assert permits(consent(permit(securityLabel=[label("N"), label("R")])), ask(of=unlabelled))
    assert not permits(consent(permit(inner("deny", securityLabel=[label("R")]))), ask(of=unlabelled))


CODE = {"code": [{"coding": [{"system": "http://loinc.org", "code": "2339-0"}]}]}
UNSUPPORTED = [
    CODE,
    {"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]},
    {"action": [{"coding": [{"code": "access"}]}]},
    {"somethingNew": True},
]


@pytest.mark.parametrize("restrictor", UNSUPPORTED)
def test_e15_a_permission_with_a_limit_we_do_not_know_permits_nothing(restrictor):
    assert not permits(consent(permit(**restrictor)), CLINICIAN)
    assert not permits(consent(deny(inner("permit", **restrictor))), CLINICIAN)


@pytest.mark.parametrize("restrictor", UNSUPPORTED)
def test_e16_a_refusal_with_a_limit_we_do_not_know_refuses_all_it_could_mean(restrictor):
    assert not permits(consent(deny(**restrictor)), CLINICIAN)
    assert not permits(consent(permit(inner("deny", **restrictor))), CLINICIAN)
    assert not permits(consent(permit(inner("deny", actor=[{"reference": {"display": "my old doctor"}}]))), CLINICIAN)


@pytest.mark.parametrize(
    ("named", "holder"),
    [
        ("PractitionerRole/r7", (f"{BASE}/Practitioner/p", f"{BASE}/PractitionerRole/r7")),
        ("Organization/o3", (f"{BASE}/Practitioner/p", f"{BASE}/Organization/o3")),
        ("Group/ex-privilegedUsers", (f"{BASE}/Practitioner/p", PRIVILEGED)),
    ],
)
def test_e17_a_person_is_also_their_role_organization_and_groups(named, holder):
    made = consent(permit(actor=[recipient(named)]))
    assert permits(made, ask(actor=holder))
    assert not permits(made, ask(actor=holder[:1]))


@pytest.mark.parametrize(
    "reference",
    [
        "Practitioner/ex-practitioner",
        DR_X,
        f"{DR_X}/_history/3",
        {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "123"}},
        {"reference": "#dr"},
    ],
)
def test_e18_one_actor_written_in_different_ways_is_one_actor(reference):
    npi = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "123"}
    contained = [{"resourceType": "Practitioner", "id": "dr", "identifier": [npi]}]
    made = consent(permit(actor=[recipient(reference)]), contained=contained)
    assert permits(made, ask(actor=(DR_X, "http://hl7.org/fhir/sid/us-npi|123")))
    assert not permits(made, ask(actor=("https://elsewhere.example.org/fhir/Practitioner/ex-practitioner",)))


def test_e19_permission_for_treatment_does_not_break_the_glass():
    assert not permits(consent(), GLASS_BY_OTHERS)
    assert permits(consent(), ask("ETREAT"))


def test_e20_a_consent_given_as_the_replaced_patient_still_binds():
    old = consent(deny(), patient={"reference": "Patient/old"})
    merged = ask(patients=frozenset({PATIENT, f"{BASE}/Patient/old"}))
    assert not permits([old, consent(id="c2")], merged)
    assert permits([old, consent(id="c2")], CLINICIAN)


def test_e21_the_same_number_at_another_server_is_another_person():
    here, there = consent(), consent(deny(), id="c2")
    rules = [read(here, base=BASE, zone=ZONE), read(there, base="https://other.example.org/fhir", zone=ZONE)]
    assert decide(CLINICIAN, rules, Policy.DENY).permit


def test_e28_what_a_proxy_consented_to_stands_after_the_proxy_is_gone():
    by_proxy = consent(performer=[{"reference": "RelatedPerson/former-guardian"}])
    assert permits(by_proxy, CLINICIAN)


def test_e29_an_empty_provision_covers_everything():
    assert permits(consent({"type": "permit"}), RESEARCHER)
    assert not permits(consent({"type": "deny"}), CLINICIAN)
    optin = {"coding": [{"system": codes.ACT_CODE, "code": "OPTIN"}]}
    assert permits(consent({}, policyRule=optin), CLINICIAN)


def test_e30_a_period_inside_a_nested_rule_bounds_that_rule():
    until = consent(permit(inner("deny", period={"end": "2022-06-30"}, securityLabel=[label("PSY")])))
    psy = resource("PSY")
    assert not permits(until, ask(now=NOW - timedelta(days=2), of=psy))
    assert permits(until, ask(now=NOW, of=psy))


def test_e31_between_two_nested_rules_the_refusal_wins():
    both = consent(permit(inner("permit", actor=[X]), inner("deny", securityLabel=[label("PSY")])))
    assert not permits(both, ask(actor=(DR_X,), of=resource("PSY")))
    assert permits(both, ask(actor=(DR_X,), of=resource("N")))


def test_e32_yesterdays_decision_can_be_made_again():
    day = timedelta(days=1)
    first = Filed(read(consent(), base=BASE, zone=ZONE, version="1"), NOW - 3 * day)
    second = Filed(read(consent(deny()), base=BASE, zone=ZONE, version="2"), NOW)
    logged = decide(ask(now=NOW - day), as_of([first], NOW - day), Policy.DENY)
    again = decide(ask(now=NOW - day), as_of([second, first], NOW - day), Policy.DENY)
    assert again == logged and again.permit and again.basis[0].version == "1"
    assert not decide(ask(now=NOW), as_of([second, first], NOW), Policy.DENY).permit


def test_e34_ten_thousand_consents_of_one_patient_are_decided_at_once():
    filed = [
        read(consent(permit(inner("deny", securityLabel=[label("PSY")])), id=f"c{n}"), base=BASE, zone=ZONE)
        for n in range(10_000)
    ]
    took = []
    for _ in range(5):
        start = time.process_time()
        assert decide(CLINICIAN, filed, Policy.DENY).permit
        took.append(time.process_time() - start)
    print(f"10,000 consents: {min(took) * 1000:.1f} ms")
    assert not decide(CLINICIAN, [*filed, read(consent(deny(), id="last"), base=BASE, zone=ZONE)], Policy.DENY).permit


def test_e35_a_consent_of_somebody_else_in_the_same_bundle_is_ignored():
    other = consent(deny(), id="c2", patient={"reference": "Patient/ex-mother"})
    made = decision([consent(), other], CLINICIAN)
    assert made.permit and [each.consent_id for each in made.basis] == ["c1"]


def test_e36_a_consent_that_could_not_be_verified_is_recorded_as_such_and_trusted_only_by_policy():
    unverified = consent(verification=[{"verified": False}])
    trusted, not_trusted = decision(unverified, CLINICIAN), decision(unverified, CLINICIAN, trust_unverified=False)
    assert (trusted.permit, not_trusted.permit) == (True, False)
    assert "unverified" in trusted.basis[0].effect and "unverified" in not_trusted.basis[0].effect
    refusal = decision(consent(deny(), verification=[{"verified": False}]), CLINICIAN, trust_unverified=False)
    assert not refusal.permit


def test_e37_consent_to_research_never_widens_care():
    research = consent(permit(purposes=("HRESCH",)), id="research")
    for request in (CLINICIAN, FRONT_DESK, GLASS_BY_OTHERS):
        assert not permits(research, request)
        assert not permits([consent(deny()), research], request)
    assert permits([consent(deny()), research], RESEARCHER)


def test_a_decision_names_the_consent_its_version_and_the_rule():
    made = decision(
        consent(permit(inner("deny", securityLabel=[label("PSY")])), meta={"versionId": "4"}), ask(of=resource("PSY"))
    )
    assert [(each.consent_id, each.version, each.path, each.effect) for each in made.basis] == [
        ("c1", "4", "provision.provision[0]", "deny")
    ]


def scrambled(value, chance):
    if chance.random() < 0.06:
        return chance.choice([None, [], {}, 7, True, "x", [None], [[]], {"coding": "?"}, "permit", -1.5])
    if isinstance(value, dict):
        return {name: scrambled(held, chance) for name, held in value.items() if chance.random() > 0.03}
    if isinstance(value, list):
        return [scrambled(held, chance) for held in value]
    return value


def test_whatever_arrives_there_is_a_decision_and_damage_never_permits_more():
    chance = random.Random(20261121)
    refusal = inner("deny", securityLabel=[label("PSY")], purpose=[reason("TREAT")])
    whole = consent(permit(refusal, actor=[X], period={"end": "2030"}, dataPeriod={"start": "2000"}))
    later = NOW + timedelta(days=4000)
    asked = [ask(actor=(DR_X,), of=resource("PSY")), ask("HRESCH", actor=(DR_X,)), ask(now=later, actor=(DR_X,))]
    for _ in range(3000):
        damaged = scrambled(whole, chance)
        for request in asked:
            assert decision(damaged, request).permit in (True, False)
    for junk in (None, 7, "Consent", [], {}, {"resourceType": "Patient"}, {"resourceType": "Consent", "status": []}):
        made = decision([junk], CLINICIAN, Policy.ALL_AUTHORIZED)
        assert not made.permit and made.alerts
