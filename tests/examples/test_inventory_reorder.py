"""Inventory reorder (R137), in the spelling of node editors (R109 to R114)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.examples.served import Served, example

PLENTY = {"sku": "nut", "onHand": 50, "minimum": 20, "unitPrice": 0.1}
FEW = {"sku": "bolt", "onHand": 3, "minimum": 10, "unitPrice": 0.25}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with example("inventory-reorder", tmp_path_factory.mktemp("stock")) as made:
        made.await_live("inventory-reorder")
        yield made


def test_what_is_below_its_minimum_is_told_and_ordered(served: Served) -> None:
    run = served.run("inventory-reorder", payload={"stock": [PLENTY, FEW]})

    assert run["status"]["outputs"] == {
        "low": ["bolt"],
        "notification": "bolt: 3 left, order 17",
        "order": {"supplier": "ACME Wholesale", "lines": [{"sku": "bolt", "quantity": 17}], "total": "4.25"},
    }


def test_with_enough_of_everything_nothing_is_told_or_ordered(served: Served) -> None:
    run = served.run("inventory-reorder", payload={"stock": [PLENTY]})

    assert run["status"]["phase"] == "Succeeded"
    assert {step["name"] for step in served.report(run)["skipped"]} == {"notify", "order"}
