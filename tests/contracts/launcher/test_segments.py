"""What every launcher does with a segment (R119 to R124, R133 to R136, R147, R247)."""

from __future__ import annotations

from sluice.domain.run.events import STEP_ENDED, STEP_STARTED, Event
from sluice.ports.launcher import Launcher
from tests.contracts.launcher.segments import definition, python, segment
from tests.contracts.launcher.sinks import Sink


def test_a_run_of_steps_that_need_each_other_succeeds(launcher: Launcher, sink: Sink) -> None:
    """R119, R121: code sees the outputs of earlier steps."""
    graph = definition(python("a", "output = payload['n'] + 1"), python("b", "output = steps.a.output * 2", "a"))
    launcher.launch(segment(graph, payload={"n": 1}, run="r"))
    sink.wait_closed("r")
    assert sink.verdict("r").body["phase"] == "Succeeded"
    assert {step: end.body["output"] for step, end in sink.ends("r").items()} == {"a": 2, "b": 4}


def test_the_numbers_of_events_have_no_gaps(launcher: Launcher, sink: Sink) -> None:
    graph = definition(*[python(f"s{n}", "output = 1") for n in range(12)])
    launcher.launch(segment(graph, run="r"))
    sink.wait_closed("r")
    expected = 1
    for append in sink.appends:
        assert append.first_seq == expected
        expected = append.last_seq + 1


def test_the_last_step_ends_in_the_append_that_closes_the_segment(launcher: Launcher, sink: Sink) -> None:
    launcher.launch(segment(definition(python("a", "output = 1")), run="r"))
    sink.wait_closed("r")
    assert [event.kind for event in sink.appends[-1].events] == [STEP_STARTED, STEP_ENDED, "RunEnded"]
    assert sink.appends[-1].closes


def test_nothing_starts_before_the_record_that_it_needs_is_acknowledged(make_launcher, sink: Sink) -> None:
    sink.hold = lambda _: True
    launcher: Launcher = make_launcher(sink)
    graph = definition(python("a", "output = 1"), python("b", "output = 2", "a"))
    launcher.launch(segment(graph, run="r"))
    launcher.launch(segment(definition(python("other", "output = 1")), run="other"))
    sink.wait_closed("other")
    assert "b" not in {event.step for event in sink.events("r")}
    sink.hold = lambda _: False
    for _, acknowledge in sink.held:
        acknowledge(True)
    sink.wait_closed("r")
    assert sink.ends("r")["b"].body["output"] == 2


def test_a_refused_append_ends_the_segment_without_another_word(make_launcher, sink: Sink) -> None:
    sink.hold = lambda append: append.run_uid == "old"
    launcher: Launcher = make_launcher(sink)
    graph = definition(python("a", "output = 1"), python("b", "output = 2", "a"))
    launcher.launch(segment(graph, run="old", trust="t"))
    sink.wait_for(lambda: bool(sink.held))
    sink.held[0][1](False)
    launcher.launch(segment(graph, run="new", trust="t"))
    sink.wait_closed("new")
    assert [append.run_uid for append in sink.appends].count("old") == 1
    assert sink.losses == []


def test_a_repeat_of_the_same_epoch_is_ignored(launcher: Launcher, sink: Sink) -> None:
    once = segment(definition(python("a", "output = 1"), python("b", "output = 1", "a")), run="r")
    launcher.launch(once)
    launcher.launch(once)
    sink.wait_closed("r")
    assert [event.step for event in sink.events("r") if event.kind == STEP_ENDED] == ["a", "b"]


def test_a_segment_goes_on_where_its_history_ends(launcher: Launcher, sink: Sink) -> None:
    body = {"phase": "Succeeded", "reason": "Completed", "output": 20}
    history = (
        Event(STEP_STARTED, "a", 1, 1, {}),
        Event(STEP_ENDED, "a", 1, 2, body),
        Event(STEP_STARTED, "b", 1, 3, {}),
    )
    graph = definition(python("a", "output = 0"), python("b", "output = steps.a.output + 1", "a"))
    launcher.launch(segment(graph, run="r", epoch=2, history=history))
    sink.wait_closed("r")
    assert {step: end.body["output"] for step, end in sink.ends("r").items()} == {"b": 21}
    assert sink.appends[0].epoch == 2


def test_a_payload_that_breaks_the_schema_fails_on_the_trigger(launcher: Launcher, sink: Sink) -> None:
    """R247"""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    graph = definition(python("a", "output = 1")) | {"trigger": {"webhook": {"schema": schema}}}
    launcher.launch(segment(graph, payload={"n": "one"}, run="r"))
    sink.wait_closed("r")
    failure = sink.verdict("r").body["failure"]
    assert (failure["step"], failure["reason"]) == ("trigger", "InvalidInput")
    assert "payload.n" in failure["message"]
    assert sink.ends("r")["a"].body["phase"] == "Skipped"


def test_the_start_of_a_long_step_is_told_before_it_ends(launcher: Launcher, sink: Sink) -> None:
    launcher.launch(segment(definition(python("a", "while True: pass")), run="r"))
    sink.wait_started("r", "a")
    launcher.kill("r")
    assert not sink.closed("r")


def test_a_failed_step_is_tried_again_within_the_segment(launcher: Launcher, sink: Sink) -> None:
    retry = {"limit": 2, "backoff": {"duration": "10ms"}}
    launcher.launch(segment(definition(python("a", "print('no')\n1 / 0", retry=retry)), run="r"))
    sink.wait_closed("r")
    ends = [event for event in sink.events("r") if event.kind == STEP_ENDED]
    assert [event.attempt for event in ends] == [1, 2, 3]
    assert "no\n" in ends[0].body["log"]


def test_a_segment_closes_where_only_a_long_wait_remains(launcher: Launcher, sink: Sink) -> None:
    retry = {"limit": 1, "backoff": {"duration": "1h"}}
    launcher.launch(segment(definition(python("a", "1 / 0", retry=retry)), run="r"))
    sink.wait_closed("r")
    (end,) = sink.ends("r").values()
    assert end.body["retryAt"] > end.at
    assert [event.kind for event in sink.events("r")] == [STEP_STARTED, STEP_ENDED]


def test_a_fan_out_of_a_hundred_steps_joins(launcher: Launcher, sink: Sink) -> None:
    middle = [python(f"s{n}", f"output = {n}", "root") for n in range(100)]
    join = python(
        "join", "output = sum(s['output'] for s in steps.values() if s['output'])", *[s["name"] for s in middle]
    )
    launcher.launch(segment(definition(python("root", "pass"), *middle, join), run="r"))
    sink.wait_closed("r")
    assert sink.ends("r")["join"].body["output"] == 4950


def test_many_segments_share_a_trust_domain(launcher: Launcher, sink: Sink) -> None:
    graph = definition(python("a", "output = payload"), python("b", "output = steps.a.output", "a"))
    runs = [f"r{n}" for n in range(30)]
    for run in runs:
        launcher.launch(segment(graph, run=run, payload=run, trust="t"))
    sink.wait_closed(*runs)
    assert all(sink.ends(run)["b"].body["output"] == run for run in runs)


def test_a_large_payload_reaches_the_code(launcher: Launcher, sink: Sink) -> None:
    payload = "x" * 1_000_000
    launcher.launch(segment(definition(python("a", "output = payload")), run="r", payload=payload))
    sink.wait_closed("r")
    assert sink.ends("r")["a"].body["output"] == payload
