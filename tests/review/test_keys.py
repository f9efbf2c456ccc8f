"""The keys that the help page lists are those that the script knows, and the page says how to turn them off."""

import re
from pathlib import Path

from portal.review.keys import EVERYWHERE, ON_A_SUBMISSION
from tests.review.conftest import World
from tests.review.test_pages import read, text

SCRIPT = (Path(__file__).resolve().parents[2] / "static" / "js" / "desk.js").read_text()


def test_every_key_of_the_script_is_on_the_page_and_the_other_way_round() -> None:
    verdicts = re.findall(r"(\w): '\w+'", SCRIPT.partition("const VERDICTS")[2].partition("}")[0])
    buttons = re.findall(r"'(\w)'", SCRIPT.partition("new Set([")[2].partition("])")[0])
    others = re.findall(r"key === '(.)'", SCRIPT)
    listed = [key for key, _ in (*EVERYWHERE, *ON_A_SUBMISSION)]
    assert sorted(listed) == sorted({*verdicts, *buttons, *others})
    assert len(listed) == len(set(listed)), "no key means two things"


def test_the_page_lists_them_and_the_queue_leads_to_it(world: World) -> None:
    page = read(text(world.signed_in(), "/desk/keys"))
    for _, what in (*EVERYWHERE, *ON_A_SUBMISSION):
        assert what in page
    assert "never on where there is only touch" in page
    world.submit()
    assert 'href="/desk/keys" data-keys' in text(world.signed_in(), "/desk")
