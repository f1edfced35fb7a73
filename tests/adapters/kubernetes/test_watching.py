"""Watches that are cut, end, fall silent or come too late."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from sluice.api.kinds import ROLLOUT
from sluice.ports.errors import Gone, Unavailable
from sluice.ports.store import Selector, WatchEvent
from tests.adapters.kubernetes.conftest import Open
from tests.adapters.kubernetes.scripted import Answer, refused
from tests.contracts.store.builders import rollout, take


def event(type: str, version: int, name: str = "support") -> dict[str, Any]:
    return {"type": type, "object": rollout("team", name, resourceVersion=str(version))}


def bookmark(version: int) -> dict[str, Any]:
    return {"type": "BOOKMARK", "object": {"kind": "Rollout", "metadata": {"resourceVersion": str(version)}}}


EXPIRED = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}


def test_a_watch_goes_on_from_the_last_version_when_the_answer_ends(opened: Open) -> None:
    store, server = opened(Answer(lines=(event("ADDED", 5),)), Answer(lines=(event("MODIFIED", 7),), then="hold"))
    watch = store.watch(ROLLOUT, "team", since="4")
    assert [one.resource_version for one in take(watch, 2)] == ["5", "7"]
    assert [asked.query["resourceVersion"] for asked in server.asked] == ["4", "5"]


def test_a_broken_connection_is_mended(opened: Open) -> None:
    first = Answer(lines=(event("ADDED", 5), bookmark(9)), then="break")
    store, server = opened(first, Answer(lines=(event("MODIFIED", 10),), then="hold"))
    events = take(store.watch(ROLLOUT, "team", since="4"), 3)
    assert [one.type for one in events] == ["ADDED", "BOOKMARK", "MODIFIED"]
    assert server.asked[1].query["resourceVersion"] == "9"


def test_a_silent_connection_is_given_up_for_another(opened: Open) -> None:
    store, server = opened(
        Answer(lines=(event("ADDED", 5),), then="hold"), Answer(lines=(event("MODIFIED", 6),), then="hold")
    )
    assert [one.resource_version for one in take(store.watch(ROLLOUT, "team", since="4"), 2)] == ["5", "6"]
    assert len(server.asked) == 2


@pytest.mark.parametrize("answer", [Answer(lines=(EXPIRED,)), refused(410, "Expired", "too old")])
def test_a_version_that_is_no_longer_kept_is_gone(opened: Open, answer: Answer) -> None:
    store, _ = opened(answer)
    with pytest.raises(Gone, match="too old"):
        take(store.watch(ROLLOUT, "team", since="4"), 1)


def test_a_server_that_stays_away_is_unavailable_in_the_end(opened: Open) -> None:
    store, server = opened(Answer(then="break"))
    with pytest.raises(Unavailable):
        take(store.watch(ROLLOUT, "team", since="4"), 1)
    assert len(server.asked) > 2


def test_what_is_there_is_never_continued_halfway(opened: Open) -> None:
    store, _ = opened(Answer(lines=(event("ADDED", 5),), then="break"), Answer(lines=(bookmark(9),)))
    watch = iter(store.watch(ROLLOUT, "team"))
    assert next(watch).type == "ADDED"
    with pytest.raises(Unavailable):
        next(watch)


def test_what_is_there_is_streamed_and_ends_with_a_bookmark(opened: Open) -> None:
    store, server = opened(Answer(lines=(event("ADDED", 5), bookmark(9)), then="hold"))
    watch = store.watch(ROLLOUT, "team", Selector("a=b", "metadata.name=support"))
    assert [one.type for one in take(watch, 2)] == ["ADDED", "BOOKMARK"]
    query = server.asked[0].query
    assert (query["sendInitialEvents"], query["allowWatchBookmarks"]) == ("true", "true")
    assert (query["labelSelector"], query["fieldSelector"]) == ("a=b", "metadata.name=support")


def test_a_server_that_does_not_stream_what_is_there_is_asked_for_a_list(opened: Open) -> None:
    listed = {"metadata": {"resourceVersion": "8"}, "items": [event("ADDED", 5)["object"]]}
    store, server = opened(
        refused(422, "Invalid", "sendInitialEvents is forbidden for watch"),
        Answer(body=listed),
        Answer(lines=(event("MODIFIED", 9),), then="hold"),
    )
    events = take(store.watch(ROLLOUT, "team"), 3)
    assert [(one.type, one.resource_version) for one in events] == [
        ("ADDED", "5"),
        ("BOOKMARK", "8"),
        ("MODIFIED", "9"),
    ]
    assert json.loads(events[0].raw) == events[0].object
    assert server.asked[2].query["resourceVersion"] == "8"


def test_closing_wakes_a_reader_of_a_silent_connection(opened: Open) -> None:
    store, _ = opened(Answer(lines=(event("ADDED", 5),), then="hold"))
    watch, seen, came = store.watch(ROLLOUT, "team", since="4"), list[WatchEvent](), threading.Event()

    def read() -> None:
        for one in watch:
            seen.append(one)
            came.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert came.wait(20)
    watch.close()
    reader.join(20)
    assert not reader.is_alive()
    assert [one.resource_version for one in seen] == ["5"]


def test_an_event_carries_the_bytes_that_came(opened: Open) -> None:
    store, _ = opened(Answer(lines=(event("ADDED", 5),), then="hold"))
    (one,) = take(store.watch(ROLLOUT, "team", since="4"), 1)
    assert one.raw.startswith(b'{"apiVersion":"sluice.dev/v1alpha1","kind":"Rollout"')
    assert one.ref is not None
    assert (one.ref.namespace, one.ref.name) == ("team", "support")
