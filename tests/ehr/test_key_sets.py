"""What a server sees of our keys: one kind once it has said which it takes, both before."""

import pytest

from portal.db import transaction
from portal.ehr import keys, service
from portal.ehr.models import Connection

from .make import Place

BOTH = ("ES384", "RS384")


def shown(connection: Connection) -> list[str]:
    return sorted(key["alg"] for key in service.jwks(connection.id)["keys"])


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (None, [*BOTH]),
        ([], [*BOTH]),
        (["RS384", "ES384"], ["ES384"]),
        (["RS384"], ["RS384"]),
        (["RS256", "PS256"], [*BOTH]),
    ],
)
def test_a_server_is_shown_the_kind_of_key_that_we_sign_with(
    clinic: Place, said: list[str] | None, seen: list[str]
) -> None:
    connection = clinic.connect("http://127.0.0.1:8599/fhir", algorithms=BOTH)
    with transaction():
        connection.discovery = None if said is None else {keys.SAID: said}
    assert shown(connection) == seen


def test_a_server_that_takes_what_we_have_no_key_for_is_shown_what_there_is(clinic: Place) -> None:
    connection = clinic.connect("http://127.0.0.1:8599/fhir", algorithms=("RS384",))
    with transaction():
        connection.discovery = {keys.SAID: ["ES384"]}
    assert shown(connection) == ["RS384"]


def test_the_old_and_the_new_key_of_that_kind_are_shown_while_both_count(clinic: Place) -> None:
    connection = clinic.connect("http://127.0.0.1:8599/fhir", algorithms=BOTH)
    with transaction():
        connection.discovery = {keys.SAID: ["ES384"]}
    service.rotate_keys(clinic.admin, connection.id)
    assert shown(connection) == ["ES384", "ES384"]
