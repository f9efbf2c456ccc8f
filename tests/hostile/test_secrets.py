"""No page tells a secret of the installation: keys, hashes, indexes, credentials for other servers."""

from __future__ import annotations

from tests.hostile.recording import Tape
from tests.hostile.test_replay import ADMINISTRATOR, ANA, AUDITOR, CLINICIAN, DANA, DESK, OFFICER


def test_no_page_tells_a_secret(tape: Tape) -> None:
    """Whatever anybody may open, as everybody who may."""
    for who in (ANA, DESK, CLINICIAN, OFFICER, AUDITOR, ADMINISTRATOR, DANA):
        tape.of(who)
    assert not tape.told
    kinds = {each.partition(" ")[0] for each in tape.secrets}
    assert tape.pages > 120 and len(tape.secrets) > 20
    assert {"master", "index-key", "cookie-key", "Account.password_hash"} <= kinds


def test_a_page_that_tells_one_is_noticed(tape: Tape) -> None:
    tape.of(ANA)
    way, before = tape.of(ANA)[0].way, list(tape.told)
    for each in sorted(tape.secrets)[:30]:
        tape._read(way, f"<main>{each.partition(' ')[2]}</main>")
    assert len(tape.told) - len(before) >= 30
    tape.told[:] = before
