"""Steps that have pods of their own: a segment hands them over, and is told of their ends."""

from __future__ import annotations

from typing import Any

from sluice.domain.run.events import STEP_ENDED, STEP_STARTED, STOP_REQUESTED, Event
from sluice.ports.launcher import Launcher
from tests.contracts.launcher.segments import definition, python, segment
from tests.contracts.launcher.sinks import Sink

IMAGE = {"image": "example.com/tool:1", "args": ["${ payload.who }"]}
APART: dict[str, Any] = {"name": "deploy", "needs": [], "action": {"container": IMAGE}}
END = {"phase": "Succeeded", "reason": "Completed", "output": {"url": "https://x"}}
WHO = {"who": "ana"}


def test_a_segment_that_only_hands_over_closes_at_once(launcher: Launcher, sink: Sink) -> None:
    launched = segment(definition(APART, python("after", "output = 1", "deploy")), payload=WHO)
    launcher.launch(launched)
    sink.wait_closed(launched.run.uid)

    (event,) = sink.events(launched.run.uid)
    assert (event.kind, event.step, event.attempt) == (STEP_STARTED, "deploy", 1)
    assert event.body["work"]["input"] == {"image": "example.com/tool:1", "args": ["ana"]}


def test_an_open_segment_goes_on_with_an_end_that_it_is_told_of(launcher: Launcher, sink: Sink) -> None:
    slow = python("slow", "n = 0\nfor i in range(10**12):\n    n = i", timeout="60s")
    after = python("after", "output = steps.deploy.output['url']", "deploy")
    launched = segment(definition(APART, slow, after), payload=WHO)
    uid = launched.run.uid
    launcher.launch(launched)
    sink.wait_started(uid, "deploy")

    for _ in range(2):
        launcher.tell(uid, Event(STEP_ENDED, "deploy", 1, sink.events(uid)[0].at, END))
    assert sink.wait_ended(uid, "after").body["output"] == "https://x"
    assert "deploy" not in sink.ends(uid)
    launcher.cancel(uid, 1, reason="Cancelled")
    sink.wait_closed(uid)


def test_a_segment_that_would_only_wait_ends_a_run_that_is_to_end(launcher: Launcher, sink: Sink) -> None:
    handed = Event(STEP_STARTED, "deploy", 1, 1, {"work": {"input": {}, "timeout": 0, "key": "k"}})
    waits = {"phase": "Failed", "reason": "CodeFailed", "message": "no", "retryAt": 2**52}
    pausing = python("call", "output = 1", retry={"limit": 1, "backoff": {"duration": "1h"}})
    for steps, history in (([APART], (handed,)), ([pausing], (Event(STEP_ENDED, "call", 1, 1, waits),))):
        launched = segment(definition(*steps), payload=WHO, history=history, cancel="Cancelled")
        uid = launched.run.uid
        launcher.launch(launched)
        if steps == [APART]:
            sink.wait_for(lambda uid=uid: any(event.kind == STOP_REQUESTED for event in sink.events(uid)))
            failed = {"phase": "Failed", "reason": "Cancelled", "message": "stopped"}
            launcher.tell(uid, Event(STEP_ENDED, "deploy", 1, 2, failed))
        sink.wait_closed(uid)
        assert sink.verdict(uid).body["phase"] == "Cancelled"


def test_telling_a_run_that_is_not_there_is_ignored(launcher: Launcher) -> None:
    launcher.tell("nobody", Event(STEP_ENDED, "deploy", 1, 1, END))
