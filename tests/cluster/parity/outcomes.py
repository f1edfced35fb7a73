"""What a kubectl command came to, without what differs between any two servers: ids, versions, times."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 60
BLANKS = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UID"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\b"), "TIME"),
    (re.compile(r'(resourceVersion"?: "?)\d+'), r"\1VERSION"),
    (re.compile(r"in record \(\d+\)"), "in record (VERSION)"),
    (re.compile(r"(LIVE|MERGED)-\d+"), r"\1"),
    (re.compile(r"\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}"), "\tTIME"),
    (re.compile(r"\b(generated-)[a-z0-9]{5}\b"), r"\1SUFFIX"),
    (re.compile(r"(?m)(?<=\s)\d+(?:ms|s|m|m\d+s)(?=\s*$|\s{2,})"), "AGE"),
)

WORDING = (
    # kubectl's own log lines, about a watch that its time limit cut short.
    (re.compile(r"(?m)^[IWE]\d{4} \d\d:\d\d:\d\d.*\n?"), ""),
    # The real server adds what it did not check, and then lists a single cause as it lists many.
    (re.compile(r"(?m)^\* <nil>: .*some validation rules were not checked.*\n?"), ""),
    (re.compile(r"is invalid: \n\* (.*)\n?\Z"), r"is invalid: \1"),
    # The embedded server says what is supported,
    (re.compile(r"; supported are .*"), ""),
    # and whose fault a field without a declaration is: the real one calls it an error of its own.
    (re.compile(r"Error from server \(BadRequest\): (?=failed to create typed patch object)"), "Error from server: "),
)
"""Where the same refusal is worded otherwise, on purpose or because the real server can't say better."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit code and what was said, comparable between servers."""

    code: int
    output: str
    errors: str

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.output}\n{self.errors}\n"


@dataclass(frozen=True, slots=True)
class Command:
    """One kubectl command: ``words`` as one would type them; ``stdin`` for ``-f -``.

    ``first_lines`` compares no more than that many lines of the output; 0 is all of it. ``any_order`` compares blocks of
    lines as a set: kubectl prints kinds in the order in which a server names them. ``wordless`` compares only whether it
    failed, where the embedded server tells why and the real one does not.
    """

    words: str
    stdin: str = ""
    arguments: tuple[str, ...] = ()
    first_lines: int = 0
    any_order: bool = False
    wordless: bool = False


@dataclass(frozen=True, slots=True)
class Kubectl:
    """One kubectl program, talking to one server in one namespace."""

    program: Path
    kubeconfig: Path
    home: Path
    namespace: str = field(default="default")

    def run(self, command: Command) -> Outcome:
        """Run a command to its end."""
        fixed = [self.program, f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.home}/cache"]
        done = subprocess.run(
            [*fixed, f"--namespace={self.namespace}", *command.words.split(), *command.arguments],
            input=command.stdin,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home)},
            timeout=PATIENCE_S,
            check=False,
        )
        output = "".join(done.stdout.splitlines(keepends=True)[: command.first_lines or None])
        if command.any_order:
            output = "\n\n".join(sorted(block.strip() for block in output.split("\n\n")))
        return Outcome(done.returncode, blanked(output), "" if command.wordless else blanked(done.stderr))


def blanked(text: str) -> str:
    """Text without ids, versions and times; columns are as wide as what stands in them, so blanks count once."""
    for pattern, word in (*WORDING, *BLANKS):
        text = pattern.sub(word, text)
    return "\n".join(
        re.sub(r" {2,}", "  ", line).rstrip() if "  " in line.strip() else line for line in text.splitlines()
    )
