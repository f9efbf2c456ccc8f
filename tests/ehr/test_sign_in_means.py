"""How somebody proved who they are at the clinic's own system (acr, amr, auth_time): demanded of staff where set, and written down."""

from __future__ import annotations

from typing import Any

import pytest

from portal import db
from portal.audit.events import Event
from portal.audit.models import AuditRow
from portal.clock import now
from portal.ehr.identity import Identity
from portal.ehr.users import tie
from tests.conftest import database
from tests.ehr.signing_in import PRACTITIONER
from tests.ehr.test_launch_pages import House, _account, _connection, house

__all__ = ["database", "house"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("demanded", "claims", "in_"),
    [
        ("", {}, True),
        ("", {"acr": 7, "amr": "mfa"}, True),
        ("mfa urn:two", {"amr": ["pwd", "mfa"]}, True),
        ("mfa urn:two", {"acr": "urn:two"}, True),
        ("mfa urn:two", {"acr": "urn:two", "auth_time": -3600}, True),
        ("mfa", {}, False),
        ("mfa", {"amr": ["pwd"], "acr": "urn:one"}, False),
        ("mfa", {"amr": "mfa"}, False),
        ("mfa", {"amr": [["mfa"], {"mfa": 1}, None]}, False),
        ("mfa", {"amr": ["mfa"], "auth_time": -13 * 3600}, False),
        ("mfa", {"amr": ["mfa"], "auth_time": "yesterday"}, False),
    ],
)
def test_how_somebody_proved_who_they_are_there_is_demanded_where_it_is_set_and_written_down(
    house: House, monkeypatch: pytest.MonkeyPatch, demanded: str, claims: dict[str, Any], in_: bool
) -> None:
    monkeypatch.setenv("PREVISIT_STAFF_SIGN_IN_MEANS", demanded)
    with db.transaction():
        tie(_account("lee@example.org"), _connection(house), Identity(house.at.server.url, "somebody", PRACTITIONER))
    db.close()
    ago = claims.get("auth_time")
    told = {"auth_time": int(now().timestamp()) + ago} if isinstance(ago, int) else {}
    house.at.claims = {"fhirUser": PRACTITIONER} | claims | told
    client = house.visitor()
    answer = house.back(client, house.launched(client))
    assert (answer.status_code, client.get("/desk").status_code) == ((303, 200) if in_ else (403, 303))
    rows = db.session().query(AuditRow).filter(AuditRow.event == Event.SIGNED_IN.value).all()
    said = [row.detail.get("means") for row in rows if row.detail["how"] == "clinic"]
    methods = claims["amr"] if isinstance(claims.get("amr"), list) else []
    words = {each for each in [claims.get("acr"), *methods] if isinstance(each, str)}
    assert said == ([sorted(words) or None] if in_ else [])
    assert in_ or "Sign in here instead" in answer.get_data(as_text=True)
    assert in_ or house.at.given_back(), "the tokens are given back"
