"""The example raids in every format: the same rounds, alarms and decisions as `process` makes of the original.

NDJSON, CSV and SAPIENT carry the values as they are: the outcome is the same.  CAT015 and CAT048 round times,
angles and ranges: an impact may move by a part of its own deviation, and a decision at its threshold may turn.
"""

import pytest
from raids import RAIDS, apart_m, apart_s, outcomes, pairs

MOVED = {"NDJSON": 1e-3, "CSV": 1e-3, "SAPIENT": 1e-3, "CAT015": 1.0, "CAT048": 1.5}  # deviations of the impact


@pytest.mark.parametrize(
    "raid", [pytest.param(raid, marks=[] if raid == "mortars" else [pytest.mark.slow]) for raid in RAIDS]
)
def test_a_raid_is_the_same_in_every_format(raid):
    found = outcomes(raid)
    original = found.pop("process")
    for form, other in found.items():
        assert (other.plots, other.rejected) == (original.plots, 0), form
        assert len(other.rounds) == len(original.rounds), form
        assert len(set(other.zones) ^ set(original.zones)) <= (1 if form.startswith("CAT") else 0), form
        for a, b in pairs(original, other):
            assert b is not None
            assert apart_m(a, b) <= MOVED[form] * max(a.deviation_m, 5.0), form
            assert apart_s(a, b) <= 0.5, form
            assert a.action == b.action, form
