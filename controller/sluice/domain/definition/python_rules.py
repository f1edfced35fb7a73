"""What the code of a Python step may say: which modules it imports, which built-ins it calls, which attributes it
touches. One list for both places that need it: validation refuses code before it is published, the worker refuses it
before it runs. Standard library only, since the worker imports it.

These rules make accidents impossible and mistakes clear. They are no sandbox: the process around the code is.
"""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from sluice.domain.definition.code_glance import Glance


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


IMPORTABLE = _words(
    """json re math datetime zoneinfo decimal statistics itertools functools collections hashlib base64 uuid csv textwrap
    urllib.parse collections.abc"""
)
"""Modules that code may import without ``requirements``."""

NAMES = frozenset({"payload", "context", "params", "steps", "files"})
"""What a step's code finds in its namespace besides the built-ins; it assigns ``output``."""

_ERRORS = frozenset(
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)
)

BUILTINS = _ERRORS | _words(
    """abs all any ascii bin bool bytearray bytes callable chr complex dict divmod enumerate filter float format frozenset
    hasattr hash hex id int isinstance issubclass iter len list map max min next object oct ord pow print property
    range repr reversed round set slice sorted staticmethod classmethod str sum super tuple type zip
    True False None Ellipsis NotImplemented __build_class__ __name__ BaseException BaseExceptionGroup"""
)
"""The curated built-ins. Everything else of Python's own (``open``, ``eval``, ``exec``, ``__import__``, ...) is refused."""

INSTEAD = MappingProxyType(
    {
        "open": "files of earlier steps are in files, text for the log goes to print()",
        "input": "what a run is given is in payload",
        "__import__": "write an import statement",
        "eval": "json.loads reads data",
        "exec": "write the code itself into the step",
        "compile": "write the code itself into the step",
        "exit": "raise an exception to fail, or let the code end",
        "quit": "raise an exception to fail, or let the code end",
        "breakpoint": "print() writes to the step's log",
        "globals": "assign names at the top level; functions see them",
        "locals": "use a dict",
        "vars": "use a dict",
        "getattr": "write obj.name, or use a dict",
        "setattr": "use a dict, or write obj.name = value",
        "delattr": "use a dict, or write del obj.name",
    }
)
"""What to do instead of the built-ins that people reach for."""

ALLOWED_DUNDERS = _words(
    """__init__ __post_init__ __new__ __repr__ __str__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __len__ __iter__
    __next__ __getitem__ __setitem__ __delitem__ __contains__ __call__ __enter__ __exit__ __add__ __sub__ __mul__ __neg__
    __truediv__ __floordiv__ __mod__ __pow__ __and__ __or__ __xor__ __radd__ __rsub__ __rmul__ __bool__ __int__ __float__
    __index__ __abs__ __name__ __doc__ __slots__ __missing__ __reversed__ __format__ __bytes__ __round__
    __iadd__ __isub__ __qualname__ __annotations__ __cause__ __notes__"""
)
"""Names with two underscores on both sides that are harmless; ``__class__``, ``__globals__`` and their like are not."""

HIDDEN_ATTRIBUTES = _words(
    """gi_frame gi_code cr_frame cr_code ag_frame ag_code tb_frame tb_next f_globals f_locals f_builtins f_back f_code
    func_globals func_code mro format_map"""
)
"""Attributes that lead from a value to the interpreter's inside."""

INNER_MODULES = frozenset({"sys", "os", "io", "codecs", "builtins", "operator", "warnings", "subprocess", "importlib"})
"""What importable modules import themselves; code can't borrow it from them."""

MAX_CODE_BYTES = 64 * 1024
_NOT_CURATED = (frozenset(dir(builtins)) | INSTEAD.keys()) - BUILTINS

_LEAVES = frozenset({"ctx", "op", "ops", "id", "attr", "kind", "type_comment"})
_GLANCE = Glance(
    refused=frozenset(_NOT_CURATED) | HIDDEN_ATTRIBUTES | {"async", "await"},
    dunders=ALLOWED_DUNDERS,
    modules=IMPORTABLE,
    inner=INNER_MODULES,
)


@dataclass(frozen=True, slots=True)
class CodeProblem:
    """One reason why code is refused; ``line`` counts from 1 within the code, 0 where no line is to blame."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


def check_code(code: str, modules: frozenset[str] = IMPORTABLE) -> list[CodeProblem]:
    """All that is wrong with ``code``, in the order of its lines; an empty list means that it may run.

    ``modules`` are the importable modules; with ``requirements``, those of the requirements too.
    """
    if modules is IMPORTABLE and _GLANCE.finds_nothing(code):
        return []
    tree = _parse(code)
    if isinstance(tree, CodeProblem):
        return [tree]
    try:
        nodes = nodes_of(tree)
        problems = [problem for node in nodes for problem in _problems_of(node, modules)]
        problems += _refused_builtins(nodes)
        problems += _borrowed_modules(nodes, modules)
    except RecursionError:
        return [CodeProblem(0, "the code nests too deep; make it flatter")]
    return sorted(set(problems), key=lambda problem: (problem.line, problem.message))


def may_import(module: str, modules: frozenset[str] = IMPORTABLE) -> bool:
    """Whether ``import module`` is allowed. Of what ``requirements`` bring, every part may be imported."""
    return module in modules or module.partition(".")[0] in modules - IMPORTABLE


def allowed_modules(modules: frozenset[str] = IMPORTABLE) -> str:
    """The importable modules for a message, sorted."""
    return ", ".join(sorted(modules))


def nodes_of(tree: ast.AST) -> list[ast.AST]:
    """``tree`` and all nodes below it, the outer ones first; without those that only say how a name or an operator is meant."""
    nodes = [tree]
    for node in nodes:
        for name in node._fields:
            if name in _LEAVES:
                continue
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                nodes.append(value)
            elif isinstance(value, list):
                nodes += [item for item in value if isinstance(item, ast.AST)]
    return nodes


def _parse(code: str) -> ast.Module | CodeProblem:
    """The syntax tree, or why there is none. Compiling too finds what only the compiler sees (``return`` outside)."""
    if len(code.encode("utf-8", "surrogatepass")) > MAX_CODE_BYTES:
        return CodeProblem(0, f"the code is over {MAX_CODE_BYTES // 1024} KiB; split it over several steps")
    if not code.strip():
        return CodeProblem(0, "the code is empty; assign something to output")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
            compile(tree, "<step>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return CodeProblem(min(error.lineno or 0, code.count("\n") + 1), f"this is no Python: {error.msg}")
    except (RecursionError, MemoryError):
        return CodeProblem(0, "the code nests too deep; make it flatter")
    except ValueError as error:
        return CodeProblem(0, f"this is no Python: {error}")
    return tree


def _problems_of(node: ast.AST, modules: frozenset[str]) -> Iterator[CodeProblem]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                if not may_import(alias.name, modules):
                    yield _import_refused(node.lineno, alias.name, modules)
        case ast.ImportFrom(level=level) if level:
            yield CodeProblem(node.lineno, "a step's code is no package, so nothing can be imported relative to it")
        case ast.ImportFrom(module=module, names=names):
            yield from _from_problems(node.lineno, module or "", [alias.name for alias in names], modules)
        case ast.Attribute(attr=name) if not _is_open(name):
            yield CodeProblem(node.lineno, f"the attribute {name} is not allowed: it leads out of the step")
        case ast.Name(id=name) if _is_dunder(name) and name not in ALLOWED_DUNDERS | BUILTINS | INSTEAD.keys():
            yield CodeProblem(node.lineno, f"the name {name} is not allowed: it leads out of the step")
        case ast.MatchClass(kwd_attrs=names) if not all(map(_is_open, names)):
            yield CodeProblem(node.lineno, f"the pattern reads {', '.join(names)}, which is not allowed")
        case ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith() | ast.Await():
            yield CodeProblem(node.lineno, "a step's code runs without an event loop; leave out async and await")


def _from_problems(line: int, module: str, names: list[str], modules: frozenset[str]) -> Iterator[CodeProblem]:
    """``from urllib import parse`` is fine although ``urllib`` alone is not; ``from x import *`` hides what it brings."""
    if "*" in names:
        yield CodeProblem(line, f"write from {module} import with the names you need, not *")
    for name in names:
        if f"{module}.{name}" in modules:
            continue
        if not may_import(module, modules):
            yield _import_refused(line, module, modules)
            return
        if module in IMPORTABLE and (name.startswith("_") or name in INNER_MODULES):
            yield CodeProblem(line, f"{name} is no part of {module} that code may use")


def _borrowed_modules(nodes: list[ast.AST], modules: frozenset[str]) -> Iterator[CodeProblem]:
    """``statistics.sys`` and the like: an importable module's own imports, and parts of a package left out."""
    imported = {
        alias.asname or alias.name.partition(".")[0]: alias.name if alias.asname else alias.name.partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    if not imported:
        return
    for node in nodes:
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        module = imported.get(node.value.id)
        if module is None or module in modules - IMPORTABLE:
            continue
        inner = node.attr.startswith("_") or node.attr in INNER_MODULES
        if inner or (module not in modules and not may_import(f"{module}.{node.attr}", modules)):
            yield CodeProblem(node.lineno, f"{node.attr} is no part of {module} that code may use")


def _import_refused(line: int, module: str, modules: frozenset[str]) -> CodeProblem:
    return CodeProblem(line, f"the module {module} can't be imported; importable are {allowed_modules(modules)}")


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_open(attribute: str) -> bool:
    return attribute not in HIDDEN_ATTRIBUTES and (not _is_dunder(attribute) or attribute in ALLOWED_DUNDERS)


def _refused_builtins(nodes: list[ast.AST]) -> Iterator[CodeProblem]:
    """Uses of Python's built-ins that are not curated, unless the code binds the name itself."""
    refused = [node for node in nodes if isinstance(node, ast.Name) and node.id in _NOT_CURATED]
    bound = _bound_names(nodes) if refused else frozenset()
    for node in refused:
        name = node.id
        if isinstance(node.ctx, ast.Load) and name not in bound:
            hint = INSTEAD.get(name) or _nearest(name)
            yield CodeProblem(
                node.lineno, f"{name} is not among the built-ins of a step" + (f": {hint}" if hint else "")
            )


def _nearest(name: str) -> str:
    close = get_close_matches(name, BUILTINS, n=1, cutoff=0.8)
    return f"did you mean {close[0]}?" if close else ""


def _bound_names(nodes: list[ast.AST]) -> frozenset[str]:
    bound: set[str] = set()
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.alias(name=name, asname=asname):
                bound.add(asname or name.partition(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
            case ast.MatchMapping(rest=str(name)):
                bound.add(name)
    return frozenset(bound)
