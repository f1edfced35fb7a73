"""Many writers at once: nobody's change is lost, and only one of two with the same precondition gets through."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sluice.api.kinds import CONFIG_MAP, ROLLOUT
from sluice.ports.errors import AlreadyExists, Conflict
from sluice.ports.store import Ref, Store
from tests.contracts.store.builders import config_map, rollout, rollout_ref, take, told

WRITERS = 8


def test_patches_without_a_precondition_are_all_kept(store: Store, namespace: str) -> None:
    store.create(config_map(namespace))
    ref = Ref(CONFIG_MAP, namespace, "settings")
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda index: store.patch(ref, {"data": {f"k{index}": "v"}}), range(40)))
    assert len(store.get(ref)["data"]) == 40


def test_one_of_many_with_the_same_precondition_wins(store: Store, namespace: str) -> None:
    first = store.create(rollout(namespace))

    def attempt(percent: int) -> int:
        try:
            store.update({**first, "spec": {**first["spec"], "percent": percent}})
        except Conflict:
            return 0
        return percent

    with ThreadPoolExecutor(WRITERS) as pool:
        winners = [percent for percent in pool.map(attempt, range(30, 30 + WRITERS)) if percent]
    assert winners == [store.get(rollout_ref(namespace))["spec"]["percent"]]


def test_one_of_many_creators_wins(store: Store, namespace: str) -> None:
    def attempt(percent: int) -> bool:
        try:
            store.create(rollout(namespace, percent=percent))
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        assert sum(pool.map(attempt, range(WRITERS))) == 1


def test_a_watch_misses_nothing_of_many_writers(store: Store, namespace: str) -> None:
    watch = store.watch(ROLLOUT, namespace, since=store.list(ROLLOUT, namespace).resource_version)

    def write(index: int) -> None:
        store.create(rollout(namespace, f"r{index}"))
        store.delete(rollout_ref(namespace, f"r{index}"))

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(50)))
    events = [told(event) for event in take(watch, 100)]
    watch.close()
    for index in range(50):
        assert events.index(("ADDED", f"r{index}")) < events.index(("DELETED", f"r{index}"))
