"""The reference pages of `docs/reference`: one for each kind, every field with type, bounds, default and meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from sluice.api.fields import DURATION_PATTERN, PERCENT_PATTERN
from sluice.api.kinds import API_VERSION, SLUICE_KINDS, KindInfo
from sluice.crds.columns import PRINTER_COLUMNS
from sluice.crds.definitions import NAME_BOUNDS, schema_of
from sluice.crds.schema import STATUS_TEXT_BOUND, Schema
from sluice.domain.admission.policies import POLICIES

HEADER = "<!-- Generated from the models by `python -m sluice.crds`; do not edit. -->\n"


def reference_pages() -> dict[str, str]:
    """Every page by file name, with an index."""
    pages = {f"{kind.singular}.md": _page(kind) for kind in SLUICE_KINDS}
    listed = [
        f"| [{kind.kind}]({kind.singular}.md) | `{kind.resource}` | `{', '.join(kind.short_names)}` "
        f"| {_cell(schema_of(kind)['description'])} |"
        for kind in SLUICE_KINDS
    ]
    index = [
        "# Reference",
        "",
        f"The kinds of `{API_VERSION}`, all of them namespaced. What their conditions say: "
        "[conditions and reasons](reasons.md).",
        "",
    ]
    index += [
        "A **duration** is a row of numbers with units, `90s`, `1h30m` or `30d`, of ms, s, m, h and d. A **percentage** is a",
        'whole number from 0 to 100, or a text with up to two decimals such as `"0.5"`. A **time** is as RFC 3339 has it.',
        "",
    ]
    index += ["| kind | resource | short name | |", "| --- | --- | --- | --- |", *listed, ""]
    return {"README.md": HEADER + "\n".join(index), **pages}


def _page(kind: KindInfo) -> str:
    schema = schema_of(kind)
    lines = [f"# {kind.kind}", "", schema["description"], ""]
    lines += [
        f"`apiVersion: {API_VERSION}`, `kind: {kind.kind}`; resource `{kind.resource}`, short name "
        f"`{', '.join(kind.short_names)}`. The name has at most {NAME_BOUNDS[kind.kind]} characters.",
        "",
    ]
    if kind.selectable:
        lines += [f"Field selectors: {', '.join(f'`{path}`' for path in kind.selectable)}.", ""]
    for part in ("spec", "status"):
        rows = _Rows()
        found = list(rows.of(schema["properties"][part], part))
        lines += [f"## {part}", "", schema["properties"][part].get("description", ""), ""]
        lines += ["| field | type | meaning |", "| --- | --- | --- |", *found, ""]
    lines += _section("What is refused", _rules(schema, kind))
    lines += _section("Columns of `kubectl get`", _columns(kind))
    return HEADER + "\n".join(lines)


@dataclass
class _Rows:
    """The rows of one table; a part that comes again is told once and then referred to."""

    seen: dict[bytes, str] = field(default_factory=dict)

    def of(self, schema: Schema, path: str) -> Iterator[str]:
        """One row for each field below ``schema``, depth first."""
        for name, child in schema.get("properties", {}).items():
            needed = name in schema.get("required", ())
            yield from self._row(child, f"{path}.{name}", needed=needed)

    def _row(self, schema: Schema, path: str, *, needed: bool) -> Iterator[str]:
        inner, suffix = _inner(schema)
        mark = _fingerprint(inner) if "properties" in inner else b""
        known = self.seen.setdefault(mark, f"{path}{suffix}") if mark else ""
        repeated = bool(mark) and known != f"{path}{suffix}"
        meaning = schema.get("description") or inner.get("description", "")
        notes = [_cell(meaning), *_facts(schema, needed=needed), *([f"Fields as in `{known}`."] if repeated else [])]
        yield f"| `{path}` | {_type(schema)} | {' '.join(note for note in notes if note)} |"
        if not repeated:
            yield from self.of(inner, f"{path}{suffix}")


def _inner(schema: Schema) -> tuple[Schema, str]:
    """What lists and maps hold, and how the path shows it."""
    suffix = ""
    while True:
        if "items" in schema:
            schema, suffix = schema["items"], f"{suffix}[]"
        elif "additionalProperties" in schema:
            schema, suffix = schema["additionalProperties"], f"{suffix}.<key>"
        else:
            return schema, suffix


def _type(schema: Schema) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        return "percentage"
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    if "additionalProperties" in schema:
        return f"map of {_type(schema['additionalProperties'])}"
    if schema.get("format") == "date-time":
        return "time"
    if schema.get("pattern") == DURATION_PATTERN:
        return "duration"
    return str(schema.get("type", "any JSON"))


def _facts(schema: Schema, *, needed: bool) -> Iterator[str]:
    if needed:
        yield "**Required.**"
    if "default" in schema:
        yield f"Default `{orjson.dumps(schema['default']).decode()}`."
    if "enum" in schema:
        yield f"One of {', '.join(f'`{word}`' for word in schema['enum'])}."
    if "minimum" in schema and "maximum" in schema:
        yield f"{schema['minimum']} to {schema['maximum']}."
    elif "minimum" in schema:
        yield f"At least {schema['minimum']}."
    if schema.get("pattern", DURATION_PATTERN) not in {DURATION_PATTERN, PERCENT_PATTERN}:
        yield f"Matches `{_cell(schema['pattern'])}`."
    for bound, unit in (("maxItems", "items"), ("maxProperties", "entries"), ("maxLength", "characters")):
        if bound in schema and "pattern" not in schema and schema[bound] != STATUS_TEXT_BOUND:
            yield f"At most {schema[bound]} {unit}."


_PATTERN = re.compile(r"\^\S+\$")
"""A regular expression in a sentence: shown as code, since Markdown has a meaning for its brackets."""


def _as_code(found: re.Match[str]) -> str:
    return f"`{found[0]}`"


def _rules(schema: Schema, kind: KindInfo) -> list[str]:
    """Each rule once, at the first place where it stands, then what depends on who writes."""
    found: dict[str, str] = {}
    for path, node in _nodes(schema, ""):
        for rule in node.get("x-kubernetes-validations", ()):
            found.setdefault(rule["message"], f"{path}{rule.get('fieldPath', '')}".removeprefix("."))
    rules = [f"- `{path}`: {_PATTERN.sub(_as_code, message)}" for message, path in found.items()]
    return rules + [f"- {policy.message} ({_when(policy.operations)})" for policy in POLICIES if policy.kind is kind]


def _when(operations: tuple[str, ...]) -> str:
    words = {"CREATE": "when it is made", "UPDATE": "when it is changed", "DELETE": "when it is deleted"}
    return " or ".join(words[operation] for operation in operations)


def _nodes(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        inner, suffix = _inner(child)
        if inner is not child:
            yield f"{path}.{name}", child
        yield from _nodes(inner, f"{path}.{name}{suffix}")


def _columns(kind: KindInfo) -> list[str]:
    rows = [
        f"| {column['name'].upper()} | {_cell(column['description'])}{' (wide)' if column.get('priority') else ''} |"
        for column in PRINTER_COLUMNS[kind.kind]
    ]
    return ["| column | |", "| --- | --- |", *rows]


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""] if lines else []


def _fingerprint(schema: Mapping[str, Any]) -> bytes:
    """Equal for parts that people would call the same, whatever their number allows in rules."""
    return orjson.dumps(_without_rules(schema), option=orjson.OPT_SORT_KEYS)


def _without_rules(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_rules(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    left_out = {"x-kubernetes-validations", "minProperties", "maxProperties", "description"}
    return {key: _without_rules(value) for key, value in schema.items() if key not in left_out}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
