"""Beside libasterix: the same tables, it decodes what we encode, we decode what it encodes, record for record."""

import pytest
from asterix_records import as_json, records
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import Oracle, python_of_oracle
from test_asterix_codec import ALL

from opencram.adapters.asterix.layout import CATEGORIES, category
from opencram.adapters.asterix.record import decode_blocks, encode_block, value_at

pytestmark = pytest.mark.skipif(
    python_of_oracle() is None, reason="libasterix is not installed in .venv-oracle: run `make oracle`"
)


@pytest.fixture(scope="module")
def oracle():
    python = python_of_oracle()
    assert python is not None
    running = Oracle(python)
    yield running
    running.close()


@pytest.mark.parametrize("number", CATEGORIES)
def test_the_tables_are_the_same(number, oracle):
    answer = oracle.ask("describe", category=number)
    layout = category(number)
    assert answer["edition"] == layout.edition
    assert answer["order"] == [item.name if item else None for item in layout.items]
    theirs = {path: tuple(v) for path, v in answer["values"].items() if v[0] <= 56}
    ours = {}
    for path in ALL[number]:
        value = value_at(layout, path)
        ours[path] = (value.bits, value.signed, pytest.approx(value.lsb, rel=1e-12), value.unit)
    assert theirs == ours


@pytest.mark.parametrize("number", CATEGORIES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_each_decodes_what_the_other_encodes(number, oracle, data):
    given_records = data.draw(st.lists(records(number), min_size=1, max_size=3))
    layout = category(number)
    ours = encode_block(layout, given_records)
    assert oracle.ask("decode", category=number, block=ours.hex()) == {"records": as_json(given_records)}
    theirs = bytes.fromhex(oracle.ask("encode", category=number, records=as_json(given_records))["block"])
    assert theirs == ours
    [(_, decoded)] = decode_blocks(theirs)
    assert decoded == given_records
