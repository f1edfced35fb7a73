"""The validating webhook: the embedded server's verdict, for a cluster's API server."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import httpx
import orjson
import pytest

from sluice.adapters.admission.schema_admission import AUTHORED_KINDS
from sluice.domain.definition.validation.findings import Code, Finding, warning
from sluice.http.server import compose
from sluice.http.validation import (
    JUDGED,
    MAX_BODY,
    MAX_WAITING,
    MAX_WARNINGS,
    Judge,
    answer_to,
    question_in,
    validation_group,
)
from sluice.ports.store import Obj
from tests.cli.place import environment, manifest, workflow
from tests.http.client import Client
from tests.http.live import running

UID = "705ab4f5-6393-11e8-b7cc-42010a800002"


def here(judge: Judge, obj: Obj) -> list[Finding]:
    """What is large is validated in place as well."""
    return judge(obj)


@pytest.fixture
def client() -> Iterator[Client]:
    group = validation_group(here)
    made = Client(compose([group]))
    yield made
    made.close()
    group.stopped()


def asked(obj: Obj | None, operation: str = "CREATE", **more: Any) -> Obj:
    """A review as API servers send it."""
    request = {"uid": UID, "operation": operation, "object": obj, "userInfo": {"username": "ana"}, "dryRun": False}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {**request, **more}}


def reviewed(client: Client, review: Obj) -> Obj:
    answer = client.post("/validate", json=review)
    assert answer.status_code == 200, answer.text
    content = answer.json()
    assert (content["apiVersion"], content["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response: Obj = content["response"]
    assert response["uid"] == UID
    return response


def bad(**metadata: Any) -> Obj:
    made = workflow(definition={"steps": [{"name": "a", "needs": ["b"], "action": {"python": {"code": "output = 1"}}}]})
    made["metadata"] |= metadata
    return made


def chain(length: int) -> Obj:
    """Steps in a row that use nothing of each other: a warning for each but the first."""
    steps = [
        {"name": f"s{n}", "needs": [f"s{n - 1}"] if n else [], "action": {"http": {"url": "https://example.com"}}}
        for n in range(length)
    ]
    return workflow(definition={"steps": steps})


@pytest.mark.parametrize(
    "obj",
    [
        workflow(),
        environment(),
        manifest("Rollout", "support", {"percent": 25}),
        manifest("EnvironmentState", "support.production", {"state": "Active"}),
    ],
    ids=lambda obj: obj["kind"],
)
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_what_is_well_made_is_allowed(client: Client, obj: Obj, operation: str) -> None:
    assert reviewed(client, asked(obj, operation)) == {"uid": UID, "allowed": True}


def test_what_is_wrong_is_denied_by_a_status_that_names_the_field(client: Client) -> None:
    response = reviewed(client, asked(bad()))
    field, why = "spec.definition.steps[0].needs[0]", "there is no step b; known are a"
    assert response["allowed"] is False
    assert response["status"] == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f'Workflow.sluice.dev "support" is invalid: {field}: {why}',
        "reason": "Invalid",
        "details": {
            "name": "support",
            "group": "sluice.dev",
            "kind": "Workflow",
            "causes": [{"reason": "FieldValueInvalid", "message": why, "field": field}],
        },
        "code": 422,
    }


@pytest.mark.parametrize(
    "obj",
    [
        environment(tier="Production"),
        manifest("Rollout", "support", {"steps": [{"percent": 50}, {"percent": 5}]}),
        manifest("EnvironmentState", "a.b", {"state": "Active", "overrides": {"ana": {"until": "soon"}}}),
    ],
    ids=lambda obj: obj["kind"],
)
def test_every_kind_that_people_write_is_judged(client: Client, obj: Obj) -> None:
    assert reviewed(client, asked(obj))["allowed"] is False


def test_an_object_that_is_still_to_get_its_name_is_named_by_nothing(client: Client) -> None:
    made = bad(generateName="support-")
    del made["metadata"]["name"]
    assert reviewed(client, asked(made))["status"]["message"].startswith('Workflow.sluice.dev "" is invalid: spec.')


def test_a_spec_that_was_there_before_is_not_refused_for_what_is_around_it(client: Client) -> None:
    before, after = bad(finalizers=["sluice.dev/runs"]), bad()
    assert reviewed(client, asked(after, "UPDATE", oldObject=before))["allowed"] is True
    changed = copy.deepcopy(after)
    changed["spec"]["suspend"] = True
    assert reviewed(client, asked(changed, "UPDATE", oldObject=before))["allowed"] is False


@pytest.mark.parametrize(
    "review",
    [
        asked(None, "DELETE", oldObject=bad()),
        asked(bad(), "CONNECT"),
        asked(bad(), "UPDATE", subResource="status"),
        asked(manifest("WorkflowRun", "r", {})),
        asked({"apiVersion": "v1", "kind": "Pod", "metadata": {}}),
        asked({**bad(), "apiVersion": "sluice.dev/v9"}),
    ],
    ids=["deletion", "connection", "status", "run", "pod", "a later version"],
)
def test_what_is_not_judged_is_allowed(client: Client, review: Obj) -> None:
    assert reviewed(client, review) == {"uid": UID, "allowed": True}


def test_what_is_hardly_meant_so_is_allowed_with_a_warning(client: Client) -> None:
    response = reviewed(client, asked(chain(2)))
    assert response["allowed"] is True
    (told,) = response["warnings"]
    assert told.startswith("spec.definition.steps[1].needs[0]: it waits for s0 and uses nothing of it")


def test_warnings_are_short_and_few(client: Client) -> None:
    """What is longer or more, API servers cut off without a word."""
    told = reviewed(client, asked(chain(30)))["warnings"]
    assert len(told) == MAX_WARNINGS
    assert told[-1] == f"and {29 - MAX_WARNINGS + 1} more warnings; `sluice check` lists them"


def test_a_long_warning_is_cut() -> None:
    long = warning("spec", "x" * 500, Code.IGNORED)
    answered = answer_to(question_in(orjson.dumps(asked(workflow()))), lambda _: [long])
    (told,) = answered["response"]["warnings"]
    assert (len(told), told[-4:]) == (256, "x...")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "invalid JSON"),
        (b"[" * 100_000, "invalid JSON"),
        (b"[]", "must be an AdmissionReview"),
        (b'{"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview"}', "must be an AdmissionReview"),
        (b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}', "request: must be an object"),
    ],
)
def test_what_is_no_review_is_a_bad_request(client: Client, body: bytes, says: str) -> None:
    answer = client.post("/validate", content=body)
    assert (answer.status_code, answer.json()["kind"]) == (400, "Status")
    assert says in answer.json()["message"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"uid": ""}, "request.uid: is required"),
        ({"uid": 5}, "request.uid: is required"),
        ({"object": None}, "request.object: must be an object"),
        ({"object": []}, "request.object: must be an object"),
        ({"object": {"metadata": "x"}}, "request.object.metadata: must be an object"),
    ],
)
def test_a_review_that_lacks_something_is_told_what(client: Client, more: Obj, says: str) -> None:
    answer = client.post("/validate", json=asked(workflow(), **more))
    assert (answer.status_code, answer.json()["message"]) == (400, says)


def test_a_review_of_more_than_four_megabytes_is_not_read(client: Client) -> None:
    assert client.post("/validate", content=b" " * (MAX_BODY + 1)).status_code == 413


def test_only_post_is_answered(client: Client) -> None:
    assert client.get("/validate").status_code == 405


def test_an_error_of_our_own_is_no_verdict(caplog: pytest.LogCaptureFixture) -> None:
    """The API server then does what its failurePolicy says."""

    def broken(judge: Judge, obj: Obj) -> list[Finding]:
        raise RuntimeError("the helper process ended")

    group = validation_group(broken)
    made = Client(compose([group]))
    with caplog.at_level(logging.CRITICAL, "sluice.http.validation"):
        answer = made.post("/validate", json=asked(chain(60)))
    made.close()
    group.stopped()
    assert (answer.status_code, answer.json()["reason"]) == (500, "InternalError")


def test_small_objects_do_not_wait_for_large_ones_of_which_too_many_are_sent_away() -> None:
    held, answers = threading.Event(), Queue[httpx.Response]()

    def slow(judge: Judge, obj: Obj) -> list[Finding]:
        assert held.wait(20)
        return judge(obj)

    with running([validation_group(slow)]) as server:
        url, large = f"{server.url}/validate", asked(chain(60))

        def ask() -> None:
            answers.put(httpx.post(url, json=large, timeout=30))

        threads = [threading.Thread(target=ask) for _ in range(MAX_WAITING + 2)]
        for thread in threads:
            thread.start()
        turned_away = [answers.get(timeout=20) for _ in range(2)]
        assert [answer.status_code for answer in turned_away] == [503, 503]
        assert turned_away[0].headers["retry-after"] == "1"
        assert httpx.post(url, json=asked(bad())).json()["response"]["allowed"] is False

        held.set()
        for thread in threads:
            thread.join(30)
        allowed = [answers.get(timeout=20).json()["response"]["allowed"] for _ in range(MAX_WAITING)]
        assert allowed == [True] * MAX_WAITING


def test_the_kinds_that_are_judged_are_those_that_the_embedded_server_judges() -> None:
    assert {kind.kind for kind in JUDGED} == AUTHORED_KINDS
