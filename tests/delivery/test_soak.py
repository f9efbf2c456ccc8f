"""A short soak in the suite; `make soak` is the long one."""

from pathlib import Path

import pytest

from .kill import databases
from .soak import said
from .soaking import Soak, run

pytestmark = pytest.mark.xdist_group("soak")


def test_through_a_proxy_that_breaks_everything_each_delivery_arrives_once_and_nothing_false_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(Soak(databases()[-1], submissions=30, patients=20), tmp_path)
    with capsys.disabled():
        print(f"\n{said(report)}")
    assert report.sound
    assert report.confirmed + report.withheld == 30
    assert sum(report.faults.values()) - report.faults["none"] > 30, "the proxy was too kind"
