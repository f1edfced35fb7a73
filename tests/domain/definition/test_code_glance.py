"""Where a glance at code finds nothing, the rules find nothing either."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.definition.code_glance import MOST_CHARACTERS, Glance
from sluice.domain.definition.python_rules import (
    ALLOWED_DUNDERS,
    HIDDEN_ATTRIBUTES,
    IMPORTABLE,
    INNER_MODULES,
    check_code,
)

GLANCE = Glance(
    refused=HIDDEN_ATTRIBUTES | {"open", "eval", "async", "await"},
    dunders=ALLOWED_DUNDERS,
    modules=IMPORTABLE,
    inner=INNER_MODULES,
)
BY_THE_RULES = frozenset([*IMPORTABLE])
"""Another set of the same modules: with it no code is only glanced at."""

LINES = [
    "import json", "import json, re as r", "import os", "import json as open", "from json import loads",
    "from json import codecs", "from json import *", "from json import loads as l, dumps", "from os import path",
    "import urllib.parse", "import urllib", "from . import x", "from \\", "import json; import os", " import json",
    "'''", "# import os", "s = 'import json'", "json.codecs", "json._x", "r.sub", "statistics.sys", "output = 1",
    "open('a')", "def open(a): return a", "x.__class__", "__name__", "__builtins__", "x.mro", "_x = 1", "x._y",
    "async def f(): pass", "f'{open(1)}'", "f'{x.__class__}'", "return 1", "x = 0xfor y", "ö = 1", "ｏpen(1)", "x = '\\",
    "op\\", "en('a')", "x = (", ")", "if x:", "\r", "import json\rimport os", "\x00", "exit()", "match x:",
    "    case A(mro=1): pass", "    case A(b=1): pass", "'\\d'", "break", "    import json",
]  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from(LINES), max_size=5))
def test_a_glance_never_overlooks_what_the_rules_find(lines: list[str]) -> None:
    code = "\n".join(lines)
    assert list(map(str, check_code(code))) == list(map(str, check_code(code, BY_THE_RULES)))


@pytest.mark.parametrize(
    "code",
    [
        "output = {'n': len(payload)}",
        "import json, re\nfrom math import pi as p, tau\noutput = json.dumps([p, re.sub('a', 'b', 'c')])",
        "class Row:\n    def __init__(self, n):\n        self._n = n\noutput = Row(1)._n",
        "def f():\n    import csv\n    return csv.reader([])\noutput = list(f())",
    ],
)
def test_most_code_is_done_with_at_a_glance(code: str) -> None:
    assert GLANCE.finds_nothing(code)


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "import urllib.parse",
        "from json import *",
        "from json import codecs",
        "from \\\nimport json",
        "import json\njson._private",
        "output = open",
        "().__class__",
        "async def f(): pass",
        "if True",
        "ö = 1",
        "",
        "1",
        "a" + ".b" * 400,
        "x = '" + "a" * MOST_CHARACTERS + "'",
    ],
    ids=lambda code: code[:20].encode("unicode_escape").decode(),
)
def test_what_a_glance_is_not_sure_of_is_left_to_the_rules(code: str) -> None:
    assert not GLANCE.finds_nothing(code)
