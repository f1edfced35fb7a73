"""Files that can't be read as manifests."""
# ruff: noqa: E501  (a table: one case a line)

from __future__ import annotations

from tests.bad_input.case import PY, Case, Link, case, obj, steps

GOOD = steps(f"name: a, {PY}")
HEAD = "apiVersion: sluice.dev/v1alpha1\nkind: Workflow\nmetadata: {name: w}\n"


def bomb() -> str:
    """Nine anchors, each ten times the one before."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return HEAD + "\n".join(lines)


TEXTS = [
    case("a python tag", f"{HEAD}spec: !!python/object/apply:os.system [ls]\n", "", "the tag !!python/object/apply:os.system is not allowed", line=4),
    case("a tag of its own", f"{HEAD}spec: !secret x\n", "", "the tag !secret is not allowed", line=4),
    case("a binary tag", f"{HEAD}spec: !!binary aGk=\n", "", "the tag !!binary is not allowed"),
    case("a bomb of aliases", bomb(), "", "aliases repeat more than 10000 values"),
    case("an alias of itself", f"{HEAD}spec: &a [*a]\n", "", "contains an alias of itself"),
    case("an alias of nothing", f"{HEAD}spec: *gone\n", "", "undefined alias"),
    case("a key twice", f"{HEAD}spec:\n  owner: a@b.c\n  owner: b@b.c\n", "", "the key owner stands here and in line 5", line=6),
    case("a key twice deep inside", f"{HEAD}spec: {{definition: {{steps: [{{name: a, name: b}}]}}}}\n", "", "the key name stands here", line=4),
    case("a map as a key", f"{HEAD}? {{a: b}}\n: c\n", "", "a key is text"),
    case("a tab as indentation", f"{HEAD}spec:\n\towner: a@b.c\n", "", "a tab indents this line", line=5),
    case("a list never closed", f"{HEAD}spec: [a, b\n", "", "this is no YAML"),
    case("an indentation that does not fit", f"{HEAD}spec:\n    a: 1\n  b: 2\n", "", "this is no YAML", line=6),
    case("a text never closed", f'{HEAD}spec: "abc\n', "", "this is no YAML"),
    case("Latin-1", HEAD.encode() + "spec: {owner: 'jörg@example.com'}".encode("latin-1"), "", "the file is not UTF-8", line=4),
    case("UTF-16", GOOD.encode("utf-16"), "", "the file is not UTF-8"),
    case("random bytes", bytes(range(128, 256)), "", "the file is not UTF-8"),
    case("a NUL character", f"{HEAD}spec: {{owner: 'a\0b'}}\n", "", "a NUL character", line=4),
    case("a control character", f"{HEAD}spec: {{owner: 'a\x07b'}}\n", "", "can't stand in YAML", line=4),
    case("two megabytes", GOOD + "#" * 2_000_000, "", "1500000 are the limit"),
    case("a thousand brackets", f"{HEAD}spec: {'[' * 5000}{']' * 5000}\n", "", "nests deeper than 300", line=4),
    case("a hundred thousand lists in a line", HEAD + "spec:\n" + "- " * 100_000 + "x\n", "", "nests deeper than 300", line=5),
    case("brackets in texts between a hundred thousand others", f"{HEAD}spec: " + '["]", ' * 100_000, "", "nests deeper than 300", line=4),
    case("braces in texts between a hundred thousand others", f"{HEAD}spec: " + '{a: "}", b: ' * 100_000, "", "nests deeper than 300", line=4),
    case("ten thousand lists in a hundred lines", f"{HEAD}spec:\n" + "\n".join(" " * (198 * n) + "- " * 99 for n in range(110)) + " x\n", "", "nests deeper than 300"),
    case("a hundred levels", HEAD + "spec: " + "{a: " * 100 + "1" + "}" * 100 + "\n", "", "nests deeper than 64", line=4),
    case("a number of a hundred digits", f"{HEAD}spec: {{n: {'9' * 100}}}\n", "", "more than 64 bits"),
    case("infinity", f"{HEAD}spec: {{n: .inf}}\n", "", "no number that JSON knows"),
    case("not a number", f"{HEAD}spec: {{n: .nan}}\n", "", "no number that JSON knows"),
]  # fmt: skip

OBJECTS = [
    case("text instead of an object", "hello\n", "", "this is no object"),
    case("a list instead of an object", "- a\n- b\n", "", "this is no object"),
    case("a compose file", "services: {web: {image: x}}\n", "", "apiVersion and kind are missing"),
    case("no kind", "apiVersion: sluice.dev/v1alpha1\nmetadata: {name: x}\n", "kind", "is required"),
    case("no apiVersion", "kind: Workflow\nmetadata: {name: x}\n", "apiVersion", "is required; write sluice.dev/v1alpha1"),
    case("an unknown kind", obj("Workflo", "w", "owner: a@b.c"), "kind", "did you mean Workflow?", line=2),
    case("an unknown version", GOOD.replace("v1alpha1", "v1"), "apiVersion", "sluice.dev/v1 is not known", line=1),
    case("a deployment", GOOD.replace("sluice.dev/v1alpha1", "apps/v1").replace("Workflow", "Deployment"), "apiVersion", "objects of apps are not applied"),
    case("a pod", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n", "kind", "Pod is not applied by Sluice"),
    case("a secret without a name", "apiVersion: v1\nkind: Secret\nmetadata: {}\n", "metadata.name", "is required"),
    case("a version in a file", obj("WorkflowVersion", "w-v1", "number: 1"), "kind", "versions are published by the controller"),
    case("an approval in a file", obj("Approval", "a", "x: 1"), "kind", "approvals are made by the controller"),
    case("a generated name of a workflow", GOOD.replace("{name: hello}", "{generateName: hello-}"), "metadata.generateName", "only runs"),
    case("a bad item of a list", "apiVersion: v1\nkind: List\nitems:\n- " + GOOD.replace("\n", "\n  ").replace("ana@example.com", "ana"), "spec.owner", "write an e-mail address", line=8),
    case("a bad second document", f"{GOOD}---\n{obj('Rollout', 'hello', 'percent: 101')}", "spec.percent", "101 is no percentage", line=14),
]  # fmt: skip

FOLDERS = [
    Case("two files that declare one object", {"a.yaml": GOOD, "workflow.yaml": GOOD}, "metadata.name", "Workflow hello is declared here and in a.yaml:1"),
    Case("one file that declares an object twice", {"workflow.yaml": f"{GOOD}---\n{GOOD}"}, "metadata.name", "declared here and in workflow.yaml:1"),
    Case("a link to itself", {"workflow.yaml": Link("workflow.yaml")}, "", "this link can't be followed"),
    Case("a link to nowhere", {"workflow.yaml": Link("gone.yaml")}, "", "this link can't be followed"),
    Case("a link out of the folder", {"workflow.yaml": Link("/etc/hosts")}, "", "this link leads out of the folder"),
    Case("a link to the folder around it", {"a.yaml": GOOD, "sub/back": Link("..")}, "", "leads back to a folder around it", file="sub/back"),
    Case("JSON with a comma too many", {"a.json": '{"kind": "Workflow",\n}'}, "", "this is no JSON", file="a.json", line=2),
    Case("JSON of a hundred thousand levels", {"a.json": '{"kind": "Workflow", "spec": ' + "[" * 100_000 + "]" * 100_000 + "}"}, "", "nests deeper than 64", file="a.json"),
    Case("JSON with a key twice", {"a.json": '{"kind": "Workflow", "kind": "Workflow"}'}, "", "the key kind stands twice", file="a.json"),
    Case("JSON with NaN", {"a.json": '{"kind": "Workflow", "n": NaN}'}, "", "NaN is no number", file="a.json"),
    Case("JSON with a bad rollout", {"a.json": '{"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",\n\t"metadata": {"name": "r"},\n\t"spec": {"percent": 101}}'}, "spec.percent", "101 is no percentage", file="a.json", line=3),
    Case("a file of code in Latin-1", {"workflow.yaml": steps("name: a, action: {python: {file: t.py}}"), "t.py": "# jörg".encode("latin-1")}, "spec.definition.steps[0].action.python.file", "t.py is not UTF-8"),
    Case("a file of code that does not compile", {"workflow.yaml": steps("name: a, action: {python: {file: t.py}}"), "t.py": "x = 1\nif x\n"}, "spec.definition.steps[0].action.python.code", "line 2: this is no Python"),
    Case("a bad file in a folder", {"deep/er/workflow.yaml": obj("Rollout", "r", "percent: 101")}, "spec.percent", "101", file="deep/er/workflow.yaml"),
]  # fmt: skip

CASES: list[Case] = [*TEXTS, *OBJECTS, *FOLDERS]
