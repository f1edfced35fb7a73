from __future__ import annotations

from sluice.domain.run.given import microseconds, rfc3339
from sluice.domain.run.progress import MESSAGE_BYTES, capped
from sluice.domain.run.simulation import Outcome
from tests.domain.run.builders import START, code, definition, play


def test_messages_are_capped_without_cutting_a_character():
    assert capped("short") == "short"
    long = capped("ü" * MESSAGE_BYTES)
    assert len(long.encode()) <= MESSAGE_BYTES
    assert set(long) == {"ü"}


def test_an_expression_that_fails_does_not_fill_the_log():
    played = play(definition(code("a", when=f"${{ payload.gone == '{'x' * 9000}' }}")), payload={})
    assert len(played.body["failure"]["message"].encode()) <= MESSAGE_BYTES


def test_only_the_end_of_a_log_goes_with_a_failure():
    body = {"phase": "Failed", "reason": "CodeFailed", "log": "line\n" * 5000 + "the last"}
    tail = play(definition(code("a")), {"a": Outcome(body)}).body["failure"]["logTail"]
    assert len(tail) == 4096
    assert tail.endswith("the last")


def test_times_are_read_and_written_with_a_zone():
    assert microseconds("2027-01-15T08:00:00Z") == START
    assert microseconds("2027-01-15T09:00:00.000001+01:00") == START + 1
    assert rfc3339(START) == "2027-01-15T08:00:00.000000Z"
    assert (microseconds(None), rfc3339(0)) == (0, None)
