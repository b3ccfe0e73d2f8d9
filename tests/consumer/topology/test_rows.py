import json

from consumer.topology.description import describe
from consumer.topology.rows import Column, rows


def test_there_is_a_row_for_each_exchange_queue_and_binding_with_the_same_columns() -> None:
    topology = describe(2)

    table = list(rows(topology))

    assert [row["kind"] for row in table] == (
        ["exchange"] * len(topology.exchanges)
        + ["queue"] * len(topology.queues)
        + ["binding"] * len(topology.bindings)
    )
    assert {tuple(row) for row in table} == {tuple(Column)}


def test_a_binding_tells_where_it_comes_from_and_by_which_key() -> None:
    [binding] = [row for row in rows(describe(2)) if row["routing_key"] == "ff"]

    assert binding == {
        "kind": "binding",
        "name": "pointsman.requests.1",
        "type": "queue",
        "source": "pointsman.requests",
        "routing_key": "ff",
        "arguments": {},
    }


def test_the_rows_can_be_written_as_json() -> None:
    table = list(rows(describe(1)))

    assert json.loads(json.dumps(table)) == table
