"""The rules of ``metadata``: what is a name, a label, an annotation, a finalizer, an owner; in Kubernetes' own words."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

MAX_ANNOTATION_BYTES = 256 * 1024
GENERATED_SUFFIX_LENGTH = 5
GENERATED_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and no digits that look like letters, so that no suffix is a word or ambiguous."""
MAX_GENERATED_PREFIX = 63 - GENERATED_SUFFIX_LENGTH

KNOWN_FIELDS = frozenset(
    {
        *("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation"),
        *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"),
        *("labels", "annotations", "ownerReferences", "finalizers", "managedFields"),
    }
)

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_is_label = re.compile(_LABEL).fullmatch
_is_subdomain = re.compile(_SUBDOMAIN).fullmatch
_is_qualified = re.compile(_QUALIFIED).fullmatch
_is_label_value = re.compile(rf"({_QUALIFIED})?").fullmatch

SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
QUALIFIED_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    f"with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'({_QUALIFIED})?')"
)


class Problem(NamedTuple):
    """One thing wrong: the field's path, what is wrong and what to do, and Kubernetes' word for it."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"


def invalid(field: str, value: Any, rule: str) -> Problem:
    """A problem in the API server's words: ``Invalid value: "x": rule``."""
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return Problem(field, f"Invalid value: {shown}: {rule}")


def name_problems(name: str, *, field: str = "metadata.name", label: bool = False) -> list[Problem]:
    """What keeps ``name`` from being an RFC 1123 subdomain of at most 253 characters (``label``: a label of 63)."""
    limit, matches, rule = (63, _is_label, LABEL_RULE) if label else (253, _is_subdomain, SUBDOMAIN_RULE)
    problems = []
    if len(name) > limit:
        problems.append(invalid(field, name, f"must be no more than {limit} characters"))
    if not matches(name):
        problems.append(invalid(field, name, rule))
    return problems


@lru_cache(maxsize=4096)
def qualified_name_rule(name: str) -> str:
    """Why ``name`` is no qualified name (``[prefix/]name``), or an empty string if it is one."""
    prefix, slash, last = name.rpartition("/")
    if slash and not prefix:
        return "prefix part must be non-empty"
    if slash and (len(prefix) > 253 or not _is_subdomain(prefix)):
        return f"prefix part {SUBDOMAIN_RULE}"
    if not last:
        return "name part must be non-empty"
    if len(last) > 63:
        return "name part must be no more than 63 characters"
    return "" if _is_qualified(last) else QUALIFIED_RULE


@lru_cache(maxsize=16384)
def label_value_rule(value: str) -> str:
    """Why ``value`` is no label value, or an empty string if it is one."""
    if len(value) > 63:
        return "must be no more than 63 characters"
    return "" if _is_label_value(value) else VALUE_RULE


def label_problems(labels: dict[str, str]) -> list[Problem]:
    """What is wrong with a map of labels."""
    problems = []
    for key, value in labels.items():
        if rule := qualified_name_rule(key):
            problems.append(invalid("metadata.labels", key, rule))
        if rule := label_value_rule(value):
            problems.append(invalid("metadata.labels", value, rule))
    return problems


def annotation_problems(annotations: dict[str, str]) -> list[Problem]:
    """What is wrong with a map of annotations; their values are free, their total size is not."""
    problems = [
        invalid("metadata.annotations", key, rule) for key in annotations if (rule := qualified_name_rule(key.lower()))
    ]
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > MAX_ANNOTATION_BYTES:
        message = f"Too long: may not be more than {MAX_ANNOTATION_BYTES} bytes"
        problems.append(Problem("metadata.annotations", message, "FieldValueTooLong"))
    return problems


def finalizer_problems(finalizers: list[str]) -> list[Problem]:
    """What is wrong with a list of finalizers."""
    return [invalid("metadata.finalizers", name, rule) for name in finalizers if (rule := qualified_name_rule(name))]


def owner_problems(references: list[dict[str, Any]]) -> list[Problem]:
    """What is wrong with owner references: each is named in full, and at most one is the controller."""
    problems = []
    for reference in references:
        for part in ("apiVersion", "kind", "name", "uid"):
            if not reference.get(part):
                rule = f"{'version' if part == 'apiVersion' else part} must not be empty"
                problems.append(invalid(f"metadata.ownerReferences.{part}", "", rule))
    controllers = [reference.get("name", "") for reference in references if reference.get("controller")]
    if len(controllers) > 1:
        rule = f'Only one reference can have Controller set to true. Found "true" in references for {" and ".join(controllers)}'
        problems.append(invalid("metadata.ownerReferences", references, rule))
    return problems


_CHECKS: tuple[tuple[str, Callable[[Any], list[Problem]]], ...] = (
    ("labels", label_problems),
    ("annotations", annotation_problems),
    ("finalizers", finalizer_problems),
    ("ownerReferences", owner_problems),
)


def metadata_problems(metadata: dict[str, Any], old: dict[str, Any] | None = None) -> list[Problem]:
    """What is wrong with the parts of ``metadata`` that differ from ``old``; names are checked by ``name_problems``."""
    problems: list[Problem] = []
    for part, check in _CHECKS:
        value = metadata.get(part)
        if value and (old is None or value != old.get(part)):
            problems += check(value)
    return problems


def shape_problem(metadata: Any) -> str:
    """Why ``metadata`` can't be read at all (a label that is a number, ...), or an empty string."""
    if not isinstance(metadata, dict):
        return "metadata must be a map"
    for part in ("name", "generateName", "namespace", "uid", "resourceVersion"):
        text = metadata.get(part)
        if text is not None and not isinstance(text, str):
            return f"metadata.{part} must be a string"
    for part in ("labels", "annotations"):
        texts = metadata.get(part)
        if texts is None:
            continue
        if not isinstance(texts, dict):
            return f"metadata.{part} must be a map"
        for key, value in texts.items():
            if not isinstance(value, str):
                return f"metadata.{part}.{key} must be a string; put it in quotes"
    return _list_problem(metadata)


def _list_problem(metadata: dict[str, Any]) -> str:
    for part, kind, word in (
        ("finalizers", str, "strings"),
        ("ownerReferences", dict, "maps"),
        ("managedFields", dict, "maps"),
    ):
        entries = metadata.get(part)
        if entries is None:
            continue
        if not isinstance(entries, list):
            return f"metadata.{part} must be a list of {word}"
        for entry in entries:
            if not isinstance(entry, kind):
                return f"metadata.{part} must be a list of {word}"
    return ""
