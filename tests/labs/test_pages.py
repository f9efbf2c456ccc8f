"""The result pages in the hands of patients whose records are as different as records are."""

import re
from datetime import timedelta

import pytest
import time_machine

from portal.actors import system
from portal.audit.models import AuditRow
from portal.clock import now
from portal.consent import service as consent
from portal.db import close, session
from portal.ehr import service as ehr
from portal.labs import service

ALL = {"share": "yes", "sensitive": "yes", "results": "yes", "research": "no", "until": "open"}


def page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.get_data(as_text=True))
    return answer.get_data(as_text=True)


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def choose(me, **changes):
    shown = consent.sheet_for(me, "en")
    assert consent.give(me, {**ALL, **changes}, language="en", seen=shown.sha256).version


def links(page, start="/results/"):
    """Links to reports and histories (not to asking, printing or taking away)."""
    return list(dict.fromkeys(re.findall(rf'href="({start}(?:over-time/)?[0-9a-f]{{16}})"', page)))


@pytest.mark.parametrize("who", ["kwame-mensah", "priya-raman", "mei-chen"])
def test_everything_a_person_has_can_be_opened(world, who):
    _, client = world.person(who)
    listed = page(client, "/results")
    assert "Read" in words(listed) and "from Riverside record" in words(listed)
    reports = links(listed)[:25]
    assert reports
    over_time = {path for report in reports for path in links(page(client, report), "/results/over-time/")}
    for path in over_time:
        assert "All results as a table" in page(client, path)


def test_eight_years_are_one_line_and_the_changed_range_is_told(world):
    me, client = world.person("kwame-mensah")
    known = service.results(me)
    creatinine = next(each for each in known.known.values() if "Creatinine" in each.name)
    assert len(creatinine.points) >= 16 and creatinine.ranges_change
    shown = page(client, f"/results/over-time/{known.trend_of(creatinine.code)}")
    assert "<svg" in shown and "(it changed)" in words(shown) and "style=" not in shown


def test_a_corrected_result_is_shown_as_such(world):
    me, client = world.person("mei-chen")
    ehr.refresh(system(me.clinic_id), me.patient_id)
    close()
    listed = page(client, "/results")
    assert "Corrected" in words(listed)
    shown = words(page(client, links(listed)[0]))
    assert "Corrected by the laboratory." in shown and "Reported before as 6.8 mmol/L" in shown
    assert re.search(r"This replaces 6\.8 mmol/L, reported \d+ \w+ \d{4}", shown), "from the history of the resource"


def test_an_earlier_version_that_is_known_is_named(world):
    me, _ = world.person("mei-chen")
    old = {
        "resourceType": "Observation",
        "id": "k",
        "status": "final",
        "meta": {"versionId": "1"},
        "code": {"text": "K"},
    }
    new = {**old, "status": "corrected", "meta": {"versionId": "2"}}
    current, earlier = service.versions([new, old])
    assert current == [new] and earlier == {"Observation/k": [old]} and me


def test_early_missing_and_worded_results_are_shown_as_what_they_are(world):
    me, client = world.person("priya-raman")
    shown = " ".join(words(page(client, path)) for path in links(page(client, "/results")))
    assert "An early result. It may still change." in shown
    assert "The measurement failed. The sample had clotted" in shown
    assert service.results(me).state == "known"


def test_none_not_shared_and_could_not_look_are_three_different_sentences(world):
    _, without = world.person("fatima-sayed")
    none = words(page(without, "/results"))
    me, client = world.person("kwame-mensah")
    choose(me, results="no")
    close()
    not_shared = words(page(client, "/results"))
    _, stranger = world.person(None)
    could_not = words(page(stranger, "/results"))
    sentences = ["there are none", "You chose not to have your results read here", "We could not look"]
    assert [[sentence in each for sentence in sentences] for each in (none, not_shared, could_not)] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]


def test_nobody_asks_the_clinic_when_the_patient_said_no(world):
    me, client = world.person("kwame-mensah")
    choose(me, results="no")
    close()
    asked = len(world.sandbox.requests_seen())
    page(client, "/results")
    assert len(world.sandbox.requests_seen()) == asked


def test_when_the_clinic_is_away_the_last_reading_is_shown_with_its_age(world):
    _, client = world.person("kwame-mensah")
    before = page(client, "/results")
    world.sandbox.fault("down")
    with time_machine.travel(now() + timedelta(minutes=20), tick=True):
        after = page(client, "/results")
    assert links(after) == links(before)
    assert "This may not be everything." in words(after) and "What stands here is what we read before." in words(after)


def test_when_the_clinic_was_never_reached_it_says_so_and_shows_no_empty_list(world):
    _, client = world.person("kwame-mensah")
    world.sandbox.fault("down")
    shown = words(page(client, "/results"))
    assert "We could not look" in shown and "there are none" not in shown


def test_a_reading_is_written_down(world):
    me, client = world.person("kwame-mensah")
    page(client, "/results")
    close()
    rows = session().query(AuditRow).filter(AuditRow.event == "labs-read", AuditRow.patient_id == me.patient_id).all()
    assert len(rows) == 1


def test_addresses_tell_nothing_and_are_nobody_elses(world):
    _, client = world.person("kwame-mensah")
    mine = links(page(client, "/results"))
    mine += re.findall(r'href="(/results/ask/[0-9a-f]{16})"', page(client, mine[0]))
    assert len({path.split("/")[-2] for path in mine}) == 3, "reports, histories, and asking about a result"
    _, other = world.person("priya-raman")
    assert all(other.get(path).status_code == 404 for path in mine)
    assert client.get("/results/0123456789abcdef").status_code == 404


def test_no_page_of_results_needs_a_script_or_a_style_of_its_own(world):
    _, client = world.person("kwame-mensah")
    for path in ["/results", *links(page(client, "/results"))[:3]]:
        shown = page(client, path)
        assert " style=" not in shown and "<style" not in shown and not re.search(r"<script(?![^>]*src=)", shown)
