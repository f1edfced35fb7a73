"""Pages of a list, and raw lists."""

from __future__ import annotations

import json

import pytest

from sluice.adapters.sqlite.listing import KEPT_SECONDS, MAX_OPEN_LISTS
from sluice.api.kinds import ROLLOUT, WORKFLOW
from sluice.ports.errors import Gone
from sluice.ports.store import Selector
from tests.adapters.sqlite.stores import Opened, obj


def filled(opened: Opened) -> None:
    for index in range(5):
        opened.store.create(obj("Workflow", f"w{index}", labels={"even": str(index % 2 == 0).lower()}))


def test_a_page_says_how_much_is_left() -> None:
    with Opened() as opened:
        filled(opened)
        first = opened.store.list(WORKFLOW, limit=2)
        second = opened.store.list(WORKFLOW, limit=2, continue_=first.continue_)
        third = opened.store.list(WORKFLOW, limit=2, continue_=second.continue_)
        assert (first.remaining, second.remaining, third.remaining) == (3, 1, 0)
        assert third.continue_ == ""


def test_a_token_expires_with_time_and_with_newer_lists() -> None:
    with Opened() as opened:
        filled(opened)
        old = opened.store.list(WORKFLOW, limit=1).continue_
        opened.clock.advance(seconds=KEPT_SECONDS + 1)
        with pytest.raises(Gone):
            opened.store.list(WORKFLOW, limit=1, continue_=old)
        crowded = opened.store.list(WORKFLOW, limit=1).continue_
        for _ in range(MAX_OPEN_LISTS):
            opened.store.list(WORKFLOW, limit=1)
        with pytest.raises(Gone):
            opened.store.list(WORKFLOW, limit=1, continue_=crowded)


def test_a_token_belongs_to_its_kind() -> None:
    with Opened() as opened:
        filled(opened)
        token = opened.store.list(WORKFLOW, limit=1).continue_
        with pytest.raises(Gone):
            opened.store.list(ROLLOUT, limit=1, continue_=token)


def test_a_raw_list_is_the_same_list_encoded() -> None:
    with Opened() as opened:
        filled(opened)
        selector = Selector(labels="even=true")
        raw = opened.store.list_raw(WORKFLOW, "default", selector)
        assert [json.loads(item) for item in raw.items] == opened.store.list(WORKFLOW, "default", selector).items
        assert len(raw.items) == 3
