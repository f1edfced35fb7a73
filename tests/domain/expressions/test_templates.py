from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.expressions.template import Hole, TemplateError, Text, escape, parse, without_strings

SPLITS = [
    ("", []),
    ("plain", ["plain"]),
    ("$", ["$"]),
    ("{}", ["{}"]),
    ("costs $5 {net}", ["costs $5 {net}"]),
    ("${ a }", [("a", 2)]),
    ("${a}${b}", [("a", 2), ("b", 6)]),
    ("x ${ a } y", ["x ", ("a", 4), " y"]),
    ("$${ a }", ["${ a }"]),
    ("$$${", ["$${"]),
    ("x$${y${a}", ["x${y", ("a", 7)]),
    ("${ {'a': {'b': 1}}.a }", [("{'a': {'b': 1}}.a", 2)]),
    ("${ '}' }", [("'}'", 2)]),
    ('${ "}{" + \'"}\' }', [('"}{" + \'"}\'', 2)]),
    (r"${ '\'}' }", [(r"'\'}'", 2)]),
    (r"${ r'\' + '}' }", [(r"r'\' + '}'", 2)]),
    (r"${ R'\' }", [(r"R'\'", 2)]),
    (r"${ br'}\' }", [(r"br'}\'", 2)]),
    (r"${ b'\'}' }", [(r"b'\'}'", 2)]),
    ("${ '''it's } \n fine''' }", [("'''it's } \n fine'''", 2)]),
    ('${ """a "quoted" }""" }', [('"""a "quoted" }"""', 2)]),
    ("${ '' + '}' }", [("'' + '}'", 2)]),
    ("${ a // it's a } comment\n + b }", [("a // it's a } comment\n + b", 2)]),
    ("${ '${x}' }", [("'${x}'", 2)]),
    ("${ a }}", [("a", 2), "}"]),
]


@pytest.mark.parametrize(("text", "parts"), SPLITS)
def test_a_string_is_split_where_cel_ends(text: str, parts: list[str | tuple[str, int]]) -> None:
    found = [part.text if isinstance(part, Text) else (part.source.strip(), part.offset) for part in parse(text).parts]
    assert found == parts


@pytest.mark.parametrize(
    ("text", "offset", "advice"),
    [
        ("${ a", 0, "add the missing }"),
        ("price: ${ {'a': 1}", 7, "add the missing }"),
        ("${ 'a }", 3, "add the missing '"),
        ("x ${ it's }", 7, "add the missing '"),
        ("${ 'a\n' }", 3, "add the missing '"),
        ('${ """a" }', 3, 'add the missing """'),
        ("${ a // comment }", 0, "add the missing }"),
        ("a ${ }", 2, "write one"),
        ("${", 0, "$${"),
    ],
)
def test_what_is_never_closed_is_named_with_its_place(text: str, offset: int, advice: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text)
    assert caught.value.problem.offset == offset
    assert advice in caught.value.problem.message


def test_the_place_counts_lines_and_columns_from_one() -> None:
    with pytest.raises(TemplateError, match=r"^2:3: "):
        parse("first\nx ${ a")


def test_only_a_string_that_is_one_expression_is_single() -> None:
    assert parse("${ a }").single == Hole(" a ", 2)
    assert parse("${ a }\n").single is None
    assert parse("${a}${b}").single is None
    assert parse("a").single is None


def test_code_without_its_strings_keeps_every_position() -> None:
    source = """has(a.b) + 'has(c.d)' // has(e)\n + r"\\" + f"""
    code = without_strings(source)
    assert len(code) == len(source)
    assert code.split() == ["has(a.b)", "+", "+", "+", "f"]


@given(st.text(alphabet=st.sampled_from("ab$${}'\"\\ \n")) | st.text())
def test_escaped_text_is_itself_again(text: str) -> None:
    assert parse(escape(text)).literal == text


@given(
    st.lists(
        st.one_of(
            st.text(alphabet="ab}'\" {").map(lambda text: ("text", text)),
            st.sampled_from(["a", "{'k': '}'}", '"}"', "'''}'''", "r'\\'"]).map(lambda code: ("hole", code)),
        )
    )
)
def test_what_is_written_comes_out_part_by_part(parts: list[tuple[str, str]]) -> None:
    written = "".join(escape(content) if kind == "text" else f"${{{content}}}" for kind, content in parts)
    read = "".join(part.text if isinstance(part, Text) else f"<{part.source}>" for part in parse(written).parts)
    assert read == "".join(content if kind == "text" else f"<{content}>" for kind, content in parts)


@given(st.text(alphabet=st.sampled_from("ab$${}'\"\\ \n/rb")))
def test_any_text_is_parsed_or_refused_with_a_place_inside_it(text: str) -> None:
    try:
        template = parse(text)
    except TemplateError as error:
        problem = error.problem
        template = None
    if template is None:
        assert 0 <= problem.offset < len(text)
    else:
        holes = [part for part in template.parts if isinstance(part, Hole)]
        assert all(text[hole.offset :].startswith(hole.source + "}") for hole in holes)
