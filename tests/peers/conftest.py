"""One clinic in a database of its own, one connection to a peer, and the hands of the worker."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal import db, sealing
from portal.ehr import service
from portal.ehr.models import Connection
from tests.delivery.make import Hands
from tests.ehr.make import Place, place
from tests.peers import table
from tests.peers.install import installed
from tests.peers.running import EVERYTHING, PEERS, CannotStart, Peer, running
from tests.peers.table import DIFFERENT, VERDICTS, Tell

WANTED = [name for name in os.environ.get("PREVISIT_PEERS", ",".join(PEERS)).split(",") if name]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "peer" in metafunc.fixturenames:
        only = getattr(metafunc.module, "PEERS_HERE", PEERS)
        each = [pytest.param(name, marks=pytest.mark.xdist_group(f"peer-{name}")) for name in WANTED if name in only]
        metafunc.parametrize("peer", each, indirect=True, scope="session")


@pytest.fixture(scope="session")
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """A server that nobody here wrote, up and behind its authorization."""
    name = request.param
    absent = [part for part in PEERS[name][1] if not installed(part)]
    if absent:
        _cannot(f"{name} is not installed ({', '.join(absent)}): run make peers")
    try:
        with running(name, tmp_path_factory.mktemp(name)) as found:
            yield found
    except CannotStart as why:
        _cannot(str(why))


def _cannot(why: str) -> None:
    if os.environ.get("PREVISIT_REQUIRE_ALL"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture
def database(tmp_path: Path, _sqlite_template: Path) -> Iterator[str]:
    """A migrated database without a row: the database is not what is tried here."""
    shutil.copy(_sqlite_template, tmp_path / "previsit.db")
    db.connect(f"sqlite:///{tmp_path / 'previsit.db'}", sealing.KeyRing({1: sealing.new_key()}, sealing.new_key()))
    yield db.engine().url.render_as_string()
    db.dispose()


@pytest.fixture
def clinic(database: str) -> Place:
    return place()


@pytest.fixture
def connect(clinic: Place, peer: Peer) -> Callable[..., Connection]:
    """Registers the peer as the clinic's server, known there with these scopes and with our key set published."""

    def register(allowed: str = EVERYTHING, algorithms: tuple[str, ...] = ("ES384",)) -> Connection:
        client_id = peer.client(allowed)
        origins = [] if peer.knows else [peer.ask()["issuer"]]
        made = clinic.connect(peer.fhir, client_id=client_id, auth_origins=origins, algorithms=algorithms)
        name = made.id
        peer.keys.publish(client_id, lambda: service.jwks(name))
        return made

    return register


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def tell(request: pytest.FixtureRequest, peer: Peer, record_property: Callable[[str, object], None]) -> Tell:
    """Puts this row's verdict into the table."""
    told: list[str] = []

    def verdict(what: str, how: str = "") -> None:
        if not told:
            assert what in VERDICTS
            told.append(what)
            record_property("verdict", what)
            record_property("how", how)
            expected = DIFFERENT.get((peer.name, table.row_of(request.node.nodeid)), ("passed", ""))
            assert (what, how) == expected, "the table says otherwise"

    record_property("peer", peer.name)
    peer.asked()
    return verdict


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    done = [each for kind in ("passed", "failed", "error", "skipped") for each in terminalreporter.stats.get(kind, [])]
    done = [each for each in done if getattr(each, "when", "") == "call"]
    if len(table.lines(done)) > 1:
        terminalreporter.section("servers × contract")
        for line in table.lines(done):
            terminalreporter.write_line(line)
