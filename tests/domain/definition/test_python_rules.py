"""The rules that code of Python steps is held to (R119, R122)."""

from __future__ import annotations

import pytest

from sluice.domain.definition.python_rules import BUILTINS, IMPORTABLE, check_code, may_import

FINE = [
    "output = {'n': len(payload)}",
    "import json, re, math\noutput = json.dumps([math.pi, re.sub('a', 'b', 'c')])",
    "from urllib import parse\noutput = parse.quote('x y')",
    "import urllib.parse\noutput = urllib.parse.quote('x y')",
    "import collections.abc\nfrom collections import Counter\noutput = dict(Counter('aab'))",
    "class Row:\n    def __init__(self, n):\n        self._n = n\n"
    "    def __repr__(self):\n        return str(self._n)\noutput = str(Row(1))",
    "def open(path):\n    return path\noutput = open('mine')",
    "try:\n    output = 1 / 0\nexcept ZeroDivisionError as error:\n    output = str(error)",
    "match payload:\n    case {'a': first, **rest}:\n        output = [first, rest]",
]

REFUSED = [
    ("import os", "line 1: the module os can't be imported; importable are base64, "),
    ("output = 1\nimport subprocess as s", "line 2: the module subprocess can't be imported"),
    ("import urllib", "the module urllib can't be imported"),
    ("import urllib.parse\nurllib.request", "line 2: request is no part of urllib"),
    ("from json import *", "write from json import with the names you need"),
    ("from . import x", "a step's code is no package"),
    ("from json import codecs", "codecs is no part of json"),
    ("import statistics\nstatistics.sys.exit()", "line 2: sys is no part of statistics"),
    ("import collections as c\nc._sys", "line 2: _sys is no part of collections"),
    ("output = open('/etc/passwd')", "open is not among the built-ins of a step: files of earlier steps are in files"),
    ("__import__('os')", "__import__ is not among the built-ins of a step: write an import statement"),
    ("eval('1')", "eval is not among the built-ins"),
    ("exec('1')", "exec is not among the built-ins"),
    ("getattr(1, 'x')", "getattr is not among the built-ins of a step: write obj.name"),
    ("().__class__.__bases__", "the attribute __bases__ is not allowed"),
    ("f'{payload.__globals__}'", "the attribute __globals__ is not allowed"),
    ("__builtins__", "the name __builtins__ is not allowed"),
    ("(x for x in []).gi_frame", "the attribute gi_frame is not allowed"),
    ("async def f():\n    await g()", "line 1: a step's code runs without an event loop"),
    ("if True", "line 1: this is no Python: expected ':'"),
    ("return 1", "line 1: this is no Python: 'return' outside function"),
    ("x = \0", "this is no Python"),
    ("   \n", "the code is empty"),
    ("x = " + "(" * 300 + ")" * 300, "this is no Python: too many nested parentheses"),
    ("-" * 60_000 + "1", "the code nests too deep"),
    ("a" + ".b" * 30_000, "the code nests too deep"),
    ("x = '\\x00'\n\ud800", "this is no Python"),
    ("#" * 70_000, "the code is over 64 KiB"),
]


@pytest.mark.parametrize("code", FINE)
def test_code_within_the_rules_has_no_problems(code: str) -> None:
    assert check_code(code) == []


@pytest.mark.parametrize(("code", "message"), REFUSED, ids=[code[:24] for code, _ in REFUSED])
def test_code_outside_the_rules_is_refused_with_the_line_and_what_to_do(code: str, message: str) -> None:
    assert message in "; ".join(map(str, check_code(code)))


def test_problems_come_in_the_order_of_the_lines() -> None:
    problems = check_code("import os\nimport sys\nopen('x')")
    assert [problem.line for problem in problems] == [1, 2, 3]


def test_requirements_make_their_modules_importable() -> None:
    modules = IMPORTABLE | {"pandas"}
    assert check_code("import pandas.io.sql\nimport pandas as pd\noutput = pd.io", modules) == []
    assert may_import("pandas.core", modules)
    assert not may_import("numpy", modules)


def test_every_curated_name_is_one_of_pythons_own() -> None:
    import builtins

    assert set(dir(builtins)) >= BUILTINS


def test_every_importable_module_is_there() -> None:
    import importlib

    for name in IMPORTABLE:
        assert importlib.import_module(name).__name__ == name
