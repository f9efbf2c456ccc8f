"""Random consents and requests through the portal's decision and through the independent reference: no difference.

2,000 of them in the suite; `make consent` (`python -m tests.consent`) tries 100,000.
"""

from collections import Counter

from tests.consent.dice import difference

CASES = 2000


def test_random_consents_are_decided_as_the_reference_decides_them():
    met = Counter()
    for case in range(CASES):
        expected, found = difference(case)
        assert found is None, found
        met[expected] += 1
    print(dict(met))
    assert min(met["permit"], met["deny"]) > CASES / 20
