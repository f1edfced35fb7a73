"""What a container step runs, from its evaluated fields."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.launching.programs import ALL_BYTES, WORD_BYTES, Program, UnfitError, program_of

IMAGE = "example.com/tool:1"


def program(**fields: Any) -> Program:
    return program_of({"image": IMAGE, **fields}, {})


def test_a_script_is_run_by_a_shell_that_stops_at_the_first_failure() -> None:
    assert program(script="make\n").command == ("/bin/sh", "-ec", "make\n")


def test_without_command_and_args_the_images_own_are_left() -> None:
    assert program() == Program(IMAGE)


def test_values_that_are_no_text_are_json() -> None:
    made = program(command=["count"], args=[3, True, ["a"]], env={"N": 1.5, "WHO": {"id": "ü"}, "NONE": None})
    assert (made.command, made.args) == (("count",), ("3", "true", '["a"]'))
    assert made.env == {"N": "1.5", "WHO": '{"id":"ü"}', "NONE": "null"}


def test_what_is_set_here_wins() -> None:
    assert program_of({"image": IMAGE, "env": {"A": "1", "B": "2"}}, {"B": "ours"}).env == {"A": "1", "B": "ours"}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"image": ""}, "image: ''"),
        ({"image": None}, "image: 'null'"),
        ({"image": "a b"}, "image: 'a b'"),
        ({"image": 7}, "image: '7'"),
        ({"args": ["a\0b"]}, "args[0] has a NUL"),
        ({"env": {"A": "\0"}}, "env.A has a NUL"),
        ({"env": {"A": "x" * (WORD_BYTES + 1)}}, "env.A has 131,072 bytes"),
        ({"args": ["", "ü" * WORD_BYTES]}, "args[1] has 262,142 bytes"),
        (
            {"args": ["x" * WORD_BYTES] * (ALL_BYTES // WORD_BYTES + 1)},
            "its arguments and variables have 655,373 bytes",
        ),
        ({"outputFrom": "out.json"}, "outputFrom: 'out.json'"),
        ({"outputFrom": 3}, "outputFrom: '3'"),
    ],
)
def test_what_no_container_can_be_made_of_is_named(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UnfitError) as caught:
        program(**fields)
    assert str(caught.value).startswith(complaint)
    assert len(str(caught.value)) < 300
