"""Vectors P01–P23: what IHE PCF's examples mean, on consents written here and on the published ones where they are at hand."""

from datetime import datetime, timedelta

import pytest

from tests.consent.make import (
    BASE,
    DR_X,
    PRIVILEGED,
    RESEARCHER,
    TPO,
    ZONE,
    ask,
    consent,
    deny,
    inner,
    label,
    pcf,
    permit,
    permits,
    reason,
    recipient,
    resource,
)

DOCTOR = (f"{BASE}/Practitioner/someone",)
X = (DR_X,)
GLASS = (f"{BASE}/Practitioner/on-call", PRIVILEGED)
ENCOUNTER = f"{BASE}/Encounter/ex-encounter"
FOOBAR = "http://example.org/policies/purposeOfUse|FooBar"
END_OF_2022 = datetime(2022, 12, 31, 23, 59, 59, tzinfo=ZONE)
IN_2022, IN_2021 = resource(dates=("2022-06-13",)), resource(dates=("2021-06-13",))
BY_X = resource(authors=frozenset({DR_X}))
AT_VISIT = resource(related=frozenset({ENCOUNTER}))
ALCOHOL = resource("ETHUD", "R", own="Observation/ex-alcoholUse")
SUGAR = resource(own="Observation/ex-bloodSugar")


def data(meaning, reference):
    return [{"meaning": meaning, "reference": {"reference": reference}}]


def only_dr_x(*names):
    return inner(
        "permit", securityLabel=[label(name) for name in names], actor=[recipient("Practitioner/ex-practitioner")]
    )


YEAR = {"start": "2022-01-01", "end": "2022-12-31"}
N, R = [label("N")], [label("R")]
BTG_GROUP = {"purpose": [reason("BTG")], "actor": [recipient("Group/ex-privilegedUsers")]}
MOTHER = {"performer": [{"reference": "RelatedPerson/ex-mother"}]}
INK = {"sourceReference": {"reference": "DocumentReference/ex-consent-ink"}}
FOOBAR_CODE = {"system": "http://example.org/policies/purposeOfUse", "code": "FooBar"}

CARE = [(ask("TREAT"), True), (ask("HPAYMT"), True), (ask("HOPERAT"), True), (ask("HRESCH"), False)]

# vector, the published example (if it is public), the same written here, what is asked and what is expected
VECTORS = [
    ("P01 treatment", "consent-basic-treat", consent(), CARE),
    ("P02 a mother performs", None, consent(**MOTHER), CARE),
    ("P03 ink on paper", "consent-basic-ink", consent(**INK), CARE),
    (
        "P04 expires with 2022",
        "consent-expired-treat",
        consent(permit(period={"end": "2022-12-31"})),
        [(ask(now=END_OF_2022), True), (ask(now=END_OF_2022 + timedelta(seconds=1)), False)],
    ),
    ("P05 reject", "consent-basic-reject", consent(deny()), [(ask(purpose), False) for purpose in TPO]),
    (
        "P06 research",
        None,
        consent(permit(purposes=("HRESCH",))),
        [(ask("HRESCH"), True), (ask("CLINTRCH"), True), (ask("TREAT"), False)],
    ),
    (
        "P07 only data of 2022",
        "consent-intermediate-timeframe",
        consent(permit(dataPeriod=YEAR)),
        [(ask(of=IN_2022), True), (ask(of=IN_2021), False)],
    ),
    (
        "P08 no data of 2022",
        "consent-intermediate-not-timeframe",
        consent(permit(inner("deny", dataPeriod=YEAR))),
        [(ask(of=IN_2022), False), (ask(of=IN_2021), True)],
    ),
    (
        "P09 authored by Dr X",
        None,
        consent(permit(data=data("authoredby", "Practitioner/ex-practitioner"))),
        [(ask(of=BY_X), True), (ask(of=SUGAR), False)],
    ),
    (
        "P10 not authored by Dr X",
        "consent-intermediate-not-authoredby",
        consent(permit(inner("deny", data=data("authoredby", "Practitioner/ex-practitioner")))),
        [(ask(of=BY_X), False), (ask(of=SUGAR), True)],
    ),
    (
        "P11 of one encounter",
        "consent-intermediate-encounter",
        consent(permit(data=data("related", "Encounter/ex-encounter"))),
        [(ask(of=AT_VISIT), True), (ask(of=SUGAR), False)],
    ),
    (
        "P12 not of one encounter",
        "consent-intermediate-not-encounter",
        consent(permit(inner("deny", data=data("related", "Encounter/ex-encounter")))),
        [(ask(of=AT_VISIT), False), (ask(of=SUGAR), True)],
    ),
    (
        "P13 listed data",
        None,
        consent(
            permit(data=data("instance", "Observation/ex-bloodSugar") + data("instance", "Observation/ex-alcoholUse"))
        ),
        [(ask(of=SUGAR), True), (ask(of=ALCOHOL), True), (ask(of=resource(own="Observation/ex-weight")), False)],
    ),
    (
        "P14 all but alcohol use",
        "consent-intermediate-not-data",
        consent(permit(inner("deny", data=data("instance", "Observation/ex-alcoholUse")))),
        [(ask(of=SUGAR), True), (ask(of=ALCOHOL), False)],
    ),
    (
        "P15 one project by one organization",
        "consent-intermediate-purpose",
        consent(inner("permit", purpose=[FOOBAR_CODE], actor=[recipient("Organization/ex-org-researcher")])),
        [
            (ask(FOOBAR, actor=(RESEARCHER,)), True),
            (ask(FOOBAR, actor=DOCTOR), False),
            (ask("HRESCH", actor=(RESEARCHER,)), False),
            (ask("TREAT", actor=(RESEARCHER,)), False),
        ],
    ),
    (
        "P16 nobody but in an emergency",
        "dissent-intermediate-break-glass",
        consent(deny(inner("permit", **BTG_GROUP), purposes=())),
        [(ask("TREAT"), False), (ask("BTG", actor=GLASS), True), (ask("BTG", actor=DOCTOR), False)],
    ),
    (
        "P17 normal only",
        "consent-advanced-normal",
        consent(permit(securityLabel=N)),
        [(ask(of=resource("N")), True), (ask(of=resource("R")), False)],
    ),
    (
        "P18 normal and restricted",
        "consent-advanced-normal-restricted",
        consent(permit(securityLabel=N + R)),
        [(ask(of=resource("N")), True), (ask(of=resource("R")), True), (ask(of=ALCOHOL), True)],
    ),
    (
        "P19 normal, not restricted",
        None,
        consent(permit(inner("deny", securityLabel=R), securityLabel=N)),
        [(ask(of=resource("N")), True), (ask(of=resource("R")), False), (ask(of=ALCOHOL), False)],
    ),
    (
        "P20 restricted only for Dr X",
        None,
        consent(permit(only_dr_x("R"), securityLabel=N)),
        [
            (ask(of=resource("N")), True),
            (ask(of=resource("R"), actor=X), True),
            (ask(of=resource("R")), False),
            (ask("HRESCH", of=resource("R"), actor=X), False),
        ],
    ),
    (
        "P21 mental health only for Dr X",
        None,
        consent(permit(only_dr_x("PSY"), securityLabel=N)),
        [
            (ask(of=resource("R", "PSY"), actor=X), True),
            (ask(of=resource("R", "PSY")), False),
            (ask(of=resource("R"), actor=X), False),
        ],
    ),
    (
        "P22 mental health or violence for Dr X",
        "consent-advanced-normal-focused-psy-or-sdv",
        consent(permit(only_dr_x("PSY", "SDV"), securityLabel=N)),
        [
            (ask(of=resource("PSY"), actor=X), True),
            (ask(of=resource("R", "SDV"), actor=X), True),
            (ask(of=resource("SDV")), False),
            (ask(of=resource("HIV", "PSY"), actor=X), False),
            (ask(of=resource("N")), True),
        ],
    ),
    (
        "P23 restricted by breaking the glass",
        "consent-advanced-normal-break-glass-restricted",
        consent(permit(inner("permit", securityLabel=R, **BTG_GROUP), securityLabel=N)),
        [
            (ask("BTG", of=resource("R"), actor=GLASS, privileged=True), True),
            (ask("BTG", of=resource("R"), actor=DOCTOR), False),
            (ask("TREAT", of=resource("R"), actor=GLASS), False),
            (ask("TREAT", of=resource("N"), actor=DOCTOR), True),
        ],
    ),
]
ASKED = [
    pytest.param(made, request, expected, id=f"{name} #{number}")
    for name, _, made, cases in VECTORS
    for number, (request, expected) in enumerate(cases, 1)
]
PUBLISHED = [pytest.param(example, cases, id=name) for name, example, _, cases in VECTORS if example]


@pytest.mark.parametrize(("made", "request_", "expected"), ASKED)
def test_a_consent_means_what_pcf_says_it_means(made, request_, expected):
    assert permits(made, request_) is expected


@pytest.mark.parametrize(("example", "cases"), PUBLISHED)
def test_the_published_example_means_the_same(example, cases):
    published = pcf(example)
    assert [permits(published, request) for request, _ in cases] == [expected for _, expected in cases]


def test_there_are_23_vectors():
    assert len({name[:3] for name, *_ in VECTORS}) == 23
