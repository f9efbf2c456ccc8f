"""The whole application under requests that nobody meant (F1), in short; `make fuzz` is the whole."""

from __future__ import annotations

import gc
from random import Random
from urllib.parse import urlsplit

import pytest

from tests.hostile.fuzzing import MOST_GROWTH, Fuzz, as_sent
from tests.house.world import World


def test_nothing_breaks_hangs_tells_or_asks_elsewhere(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    told = Fuzz(world, Random(20261122)).run(300)
    with capsys.disabled():
        print(f"\n{told}")
    assert not told.wrong, "\n".join(told.wrong)
    assert not told.sockets and told.grown < MOST_GROWTH and len(told.answers) >= 8


def test_the_same_requests_again_leave_nothing_behind(world: World) -> None:
    """The second time fills what is kept for good; whoever keeps something for each request, or each time anew, has it after the third."""
    held = []
    for _ in range(3):
        Fuzz(world, Random(5)).run(80)
        gc.collect()
        held.append(len(gc.get_objects()))
    assert held[2] - held[1] < 120, held


def test_something_that_breaks_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above cannot pass because nothing would ever be noticed."""

    def broken(*_: object, **__: object) -> str:
        raise RuntimeError

    for endpoint in sorted(world.app.view_functions)[::2]:
        monkeypatch.setitem(world.app.view_functions, endpoint, broken)

    assert len(Fuzz(world, Random(1)).run(200).wrong) >= 10


@pytest.mark.parametrize(
    "path", ["//.well-known/jwks.json", "//pvx.example/x?next=//pvx.example", "//", "///sign-in", "//%2e%2e/x"]
)
def test_two_slashes_are_a_path_and_lead_nowhere_else(world: World, path: str) -> None:
    answer = world.app.test_client().open(**as_sent({"path": path, "method": "GET"}))
    assert answer.status_code < 500
    assert urlsplit(answer.location or "").netloc in {"", "localhost"}
