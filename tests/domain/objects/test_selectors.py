"""Label and field selectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.objects.selectors import BadSelector, field_values, parse_selector

LABELS = {"app": "web", "tier": "gold", "empty": "", "example.com/x": "1"}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("", True),
        ("app", True),
        ("!app", False),
        ("! none", True),
        ("app=web", True),
        ("app == web , tier=gold", True),
        ("app=web,tier=silver", False),
        ("none!=x", True),
        ("empty=", True),
        ("empty", True),
        ("app in (web, api)", True),
        ("app notin (web)", False),
        ("none notin (web)", True),
        ("none in ()", False),
        ("empty in (,a)", True),
        ("example.com/x=1", True),
    ],
)
def test_labels_are_selected(selector: str, selected: bool) -> None:
    assert parse_selector(selector, "").matches(LABELS, {}) is selected


@pytest.mark.parametrize(
    "selector", ["=a", "a=b=c", "a in b", "a in (b", "a in", "a b", ",a", "a,", "a=b,,c", "!", "a/b/c", "a=b c", "(a)"]
)
def test_what_can_not_be_read_is_refused(selector: str) -> None:
    with pytest.raises(BadSelector):
        parse_selector(selector, "")


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("metadata.name=x", True),
        ("metadata.name==x,metadata.namespace!=other", True),
        ("metadata.name!=x", False),
        ("status.phase=Running", True),
        ("status.phase=", False),
        (r"metadata.name=a\,b", False),
    ],
)
def test_fields_are_selected(selector: str, selected: bool) -> None:
    fields = {"metadata.name": "x", "metadata.namespace": "ns", "status.phase": "Running"}
    assert parse_selector("", selector, ("status.phase",)).matches({}, fields) is selected


def test_an_escaped_comma_belongs_to_the_value() -> None:
    matcher = parse_selector("", r"metadata.name=a\,b\=c")
    assert matcher.matches({}, {"metadata.name": "a,b=c"})


def test_a_field_that_can_not_be_selected_is_named() -> None:
    with pytest.raises(BadSelector, match=r"field label not supported: spec\.owner"):
        parse_selector("", "spec.owner=x")


def test_field_values_are_compared_as_text() -> None:
    obj = {"spec": {"on": True, "count": 3, "name": "x"}}
    values = field_values(obj, ["spec.on", "spec.count", "spec.name", "spec.none", "spec.name.deeper"])
    assert list(values.values()) == ["true", "3", "x", "", ""]


def is_readable(labels: str, fields: str) -> bool:
    try:
        parse_selector(labels, fields).matches(LABELS, {})
    except BadSelector:
        return False
    return True


@given(st.text("ab=!,() \\in", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert is_readable(text, "") in {True, False}
    assert is_readable("", text) is (text == "")
