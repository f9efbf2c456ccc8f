"""Tests that share something dear run one after the other in one process. pytest-xdist 3.8 does not pass their marks on under
pytest 9.2 (it writes an attribute that nothing reads any more), so the scheduler goes by their names; a mark that differs is an error."""

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

PLACES = {
    "tests/journeys/": "journeys",
    "tests/delivery/test_cluster.py": "cluster",
    "tests/delivery/test_kill.py": "kill",
    "tests/delivery/test_soak.py": "soak",
    "tests/hostile/": "hostile",
}
PEERS = "tests/peers/"


def group_of(nodeid: str) -> str | None:
    """The group of a test, by its place; at the peers by the server it is tried on."""
    path, _, name = nodeid.partition("::")
    if path.startswith(PEERS) and "[" in name:
        return f"peer-{name.partition('[')[2].rstrip(']').partition('-')[0]}"
    return next((group for place, group in PLACES.items() if path.startswith(place)), None)


class Together(LoadScopeScheduling):
    """Each group a piece of work, every other test one by itself."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid) or nodeid

    def schedule(self) -> None:
        """A worker begins once it has two tests: one that takes another's place is given them too (xdist gives it one, and it waits)."""
        super().schedule()
        for node in self.nodes:
            if self.assigned_work[node] and self._pending_of(self.assigned_work[node]) < 2:
                self._reschedule(node)

    def _reschedule(self, node: WorkerController) -> None:
        if node in self.registered_collections:  # one that takes another's place may not have looked yet what there is
            super()._reschedule(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """The test that its worker died of has failed, and is not given to the next; the rest of its work is."""
        workload = self.assigned_work.pop(node)
        died_of = next((test for tests in workload.values() for test, done in tests.items() if not done), None)
        if died_of is None:
            return None
        workload[self._split_scope(died_of)][died_of] = True
        self.workqueue.update({scope: tests for scope, tests in workload.items() if not all(tests.values())})
        for other in self.assigned_work:
            self._reschedule(other)
        return died_of


def check(items: list[pytest.Item]) -> None:
    """UsageError for a test whose mark says another group than its place."""
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        if mark and mark.args[0] != group_of(item.nodeid):
            raise pytest.UsageError(f"{item.nodeid}: tests/together.py does not know the group {mark.args[0]}")
