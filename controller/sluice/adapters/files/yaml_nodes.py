"""YAML as nodes with their places, by libyaml's parser; values are made of nodes elsewhere.

Composing nodes recurses in C, where too deep a document ends the process, so the text is looked over first.
"""

from __future__ import annotations

import re

import yaml

MAX_BYTES = 1_500_000
"""Of one file."""

SAFE_DEPTH = 300
"""Maps and lists within each other that are surely composed; the stack ends at some ten thousand."""


class SyntaxProblem(Exception):
    """A text is no YAML that can be used. ``line`` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _Loader(yaml.CSafeLoader):
    """What a scalar without quotes is, as kubectl reads it: no dates, no sexagesimal numbers; yes and no are booleans."""


_Loader.yaml_implicit_resolvers = {}


def _resolve(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{pattern})\Z"), list(first))


_resolve("bool", "[Yy]es|YES|[Nn]o|NO|[Tt]rue|TRUE|[Ff]alse|FALSE|[Oo]n|ON|[Oo]ff|OFF", "yYnNtTfFoO")
_resolve("int", "[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0b[01_]+|0o?[0-7_]+)", "-+0123456789")
_resolve(
    "float",
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    "-+0123456789.",
)
_resolve("null", "~|null|Null|NULL|", "~nN\0")
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"\Z"), [""])
_resolve("merge", "<<", "<")


_TOO_DEEP = f"it nests deeper than {SAFE_DEPTH}; make it flatter"


def compose(text: str) -> list[yaml.Node]:
    """The root node of each document; SyntaxProblem where it is no YAML, or nests too deep to be looked at."""
    try:
        _check_nesting(text)
        loader = _Loader(text)
        nodes: list[yaml.Node] = []
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                nodes.append(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SyntaxProblem(mark.line + 1 if mark else 1, _said(error, text)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"the character U+{error.character:04X} can't stand in YAML; remove it"
        raise SyntaxProblem(line, message) from error
    except yaml.YAMLError as error:
        raise SyntaxProblem(1, f"this is no YAML: {error}") from error
    except ValueError as error:
        raise SyntaxProblem(1, f"this is no YAML: {error}") from error
    return nodes


def line_of(node: yaml.Node) -> int:
    """The line where a node begins, from 1."""
    return int(node.start_mark.line) + 1


def _said(error: yaml.MarkedYAMLError, text: str) -> str:
    problem = (error.problem or "it can't be read").strip()
    mark = error.problem_mark
    if mark and text[mark.index : mark.index + 1] == "\t":
        return "a tab indents this line; YAML takes spaces only"
    if "undefined alias" in problem:
        return f"this is no YAML: {problem}; name an anchor that stands before it"
    if "maximum nesting depth" in problem:  # newer parsers have a limit of their own, in any case one above ours
        return _TOO_DEEP
    context = f" {error.context.strip()}" if error.context else ""
    return f"this is no YAML: {problem}{context}"


def _check_nesting(text: str) -> None:
    """Refuse what could nest deeper than C's stack holds.

    Brackets in strings make counting them a guess, so where a text could nest that deep its events are looked at: the
    parser gives them one by one, without recursion.
    """
    if not _may_nest_deep(text):
        return
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > SAFE_DEPTH:
                raise SyntaxProblem(_line_of_event(event), _TOO_DEEP)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _may_nest_deep(text: str) -> bool:
    """Each map or list in brackets takes one, and each other one is indented more than that around it, or two as much."""
    brackets = text.count("[") + text.count("{")
    return brackets > SAFE_DEPTH or max(map(len, text.split("\n")), default=0) > SAFE_DEPTH


def _line_of_event(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 0
