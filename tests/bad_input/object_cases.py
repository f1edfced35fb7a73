"""Bad objects, and objects that do not go together."""
# ruff: noqa: E501  (a table: one case a line)

from __future__ import annotations

from tests.bad_input.case import PY, Case, case, obj, steps, workflow

GOOD = f"steps: [{{name: a, {PY}}}]"
SANDBOX = obj("Environment", "sandbox", "type: Sandbox")

WORKFLOWS = [
    case("a workflow without an owner", obj("Workflow", "w", f"definition: {{{GOOD}}}"), "spec.owner", "is required"),
    case("an owner who is no address", obj("Workflow", "w", f"owner: ana\ndefinition: {{{GOOD}}}"), "spec.owner", "write an e-mail address"),
    case("a workflow without a definition", obj("Workflow", "w", "owner: a@b.c"), "spec.definition", "is required"),
    case("a definition from two places", workflow(GOOD, "definitionFrom: {workflow: x, version: v1}"), "spec.definitionFrom", "keep one"),
    case("an unknown field of a workflow", workflow(GOOD, "ower: x"), "spec.ower", "did you mean owner?"),
    case("a workflow name in capitals", workflow(GOOD, name="Hello"), "metadata.name", "use lower-case letters", line=3),
    case("a workflow name too long", workflow(GOOD, name="h" * 41), "metadata.name", "at most 40 characters"),
    case("a workflow name with dots", workflow(GOOD, name="a.b"), "metadata.name", "use lower-case letters"),
    case("a scope that is unknown", workflow(GOOD, "scope: Everywhere"), "spec.scope", "write Organization or Environment"),
    case("a scope without its environment", workflow(GOOD, "scope: Environment"), "spec.environment", "is required with scope Environment"),
    case("an environment without its scope", workflow(GOOD, "environment: x"), "spec.environment", "belongs to scope Environment"),
    case("a state that is unknown", workflow(GOOD, "environments: {local: On}"), "spec.environments.local", ""),
    case("a revert to the future", workflow(GOOD, "reverts: {v3: {to: v5}}"), "spec.reverts.v3.to", "name a version before it"),
    case("a revert of no version", workflow(GOOD, "reverts: {third: {to: v1}}"), "spec.reverts.third", "write a version such as v7"),
    case("a publish approved by nobody", workflow(GOOD, "publish: {approval: {}}"), "spec.publish.approval", "nobody may approve"),
    case("a suspend in words", workflow(GOOD, 'suspend: "yes"'), "spec.suspend", "must be true or false"),
    case("tags that are text", workflow(GOOD, "tags: a"), "spec.tags", "must be a list"),
    case("a notification of nothing", workflow(GOOD, "notifications: [{events: [], connection: m}]"), "spec.notifications[0].events", "too few entries"),
    case("a notification without a connection", workflow(GOOD, "notifications: [{events: [RunFailed]}]"), "spec.notifications[0].connection", "is required"),
    case("a test of an unknown step", workflow(GOOD, "tests: [{name: t, expect: {ran: [b]}}]"), "spec.tests[0].expect.ran[0]", "there is no step b"),
    case("two tests of one name", workflow(GOOD, "tests: [{name: t, expect: {}}, {name: t, expect: {}}]"), "spec.tests[1].name", "there are two tests t"),
    case("a workflow without metadata", f"apiVersion: sluice.dev/v1alpha1\nkind: Workflow\nspec: {{owner: a@b.c, definition: {{{GOOD}}}}}", "metadata", "is required"),
    case("a workflow without a name", f"apiVersion: sluice.dev/v1alpha1\nkind: Workflow\nmetadata: {{}}\nspec: {{owner: a@b.c, definition: {{{GOOD}}}}}", "metadata.name", "is required"),
    case("a workflow without a spec", "apiVersion: sluice.dev/v1alpha1\nkind: Workflow\nmetadata: {name: w}", "spec", "is required"),
    case("a label that is a number", f"apiVersion: sluice.dev/v1alpha1\nkind: Workflow\nmetadata: {{name: w, labels: {{a: 1}}}}\nspec: {{owner: a@b.c, definition: {{{GOOD}}}}}", "metadata.labels.a", "must be text"),
]  # fmt: skip

ROLLOUTS = [
    case("percent 101", obj("Rollout", "r", "percent: 101"), "spec.percent", "101 is no percentage", line=5),
    case("percent -1", obj("Rollout", "r", "percent: -1"), "spec.percent", "is no percentage"),
    case("percent 12.5 without quotes", obj("Rollout", "r", "percent: 12.5"), "spec.percent", "a string with up to two decimals"),
    case("percent with three decimals", obj("Rollout", "r", 'percent: "0.125"'), "spec.percent", "up to two decimals"),
    case("percent in words", obj("Rollout", "r", "percent: half"), "spec.percent", "is no percentage"),
    case("percent and steps", obj("Rollout", "r", "percent: 5\nsteps: [{percent: 100}]"), "spec.steps", "keep one"),
    case("neither percent nor steps", obj("Rollout", "r", "split: Quota"), "spec", "write percent, or steps"),
    case("a walk downwards", obj("Rollout", "r", "steps: [{percent: 50}, {percent: 20}, {percent: 100}]"), "spec.steps[1].percent", "a walk only goes up"),
    case("a step without a percentage", obj("Rollout", "r", "steps: [{pause: {}}]"), "spec.steps[0].percent", "is required"),
    case("an unknown split", obj("Rollout", "r", "percent: 5\nsplit: Random"), "spec.split", "write Quota or Hash"),
    case("a gate without runs", obj("Rollout", "r", "steps: [{percent: 100, gate: {}}]"), "spec.steps[0].gate.minRuns", "is required"),
    case("a gate of no runs", obj("Rollout", "r", "steps: [{percent: 100, gate: {minRuns: 0}}]"), "spec.steps[0].gate.minRuns", "at least 1"),
    case("a stop of no version", obj("Rollout", "r", "percent: 5\nstops: {latest: {}}"), "spec.stops.latest", "write a version such as v7"),
    case("a promotion past the end", obj("Rollout", "r", "steps: [{percent: 100}]\npromotions: {v2: {step: 7}}"), "spec.promotions.v2.step", "write a number up to 1"),
    case("a second attempt numbered 1", obj("Rollout", "r", "percent: 5\nretries: {v2: {attempt: 1}}"), "spec.retries.v2.attempt", "at least 2"),
    case("a gate shorter than its pause", obj("Rollout", "r", "steps: [{percent: 100, pause: {duration: 2h}, gate: {minRuns: 1, maxWait: 1h}}]"), "spec.steps[0].gate.maxWait", "raise maxWait"),
]  # fmt: skip

OTHERS = [
    case("an environment without a type", obj("Environment", "e", "tier: Staging"), "spec.type", "is required"),
    case("an environment of an unknown type", obj("Environment", "e", "type: Test"), "spec.type", "write Sandbox or Production"),
    case("a sandbox of tier Production", obj("Environment", "e", "type: Sandbox\ntier: Production"), "spec.tier", "does not go with type Sandbox"),
    case("an unknown way to launch", obj("Environment", "e", "type: Sandbox\nlaunch: Docker"), "spec.launch", "write Auto, Job, Pod or Process"),
    case("memory in megabytes", obj("Environment", "e", "type: Sandbox\nlimits: {stepMemory: 512MB}"), "spec.limits.stepMemory", "such as 512Mi"),
    case("no range of addresses", obj("Environment", "e", "type: Sandbox\negress: [{cidr: 10.0.0.1/8}]"), "spec.egress[0].cidr", "is no range of addresses"),
    case("every address", obj("Environment", "e", "type: Sandbox\negress: [{cidr: 0.0.0.0/0}]"), "spec.egress[0].cidr", "is every address"),
    case("a state without its environment", obj("EnvironmentState", "hello", "state: Active"), "metadata.name", "<workflow>.<environment>"),
    case("a state that is on", obj("EnvironmentState", "hello.local", "state: Enabled"), "spec.state", "write Active or Inactive"),
    case("an override that activates", obj("EnvironmentState", "hello.local", "state: Active\noverrides: {ana: {state: Active}}"), "spec.overrides.ana.state", "write Inactive"),
    case("an override until tomorrow", obj("EnvironmentState", "hello.local", "state: Active\noverrides: {ana: {until: tomorrow}}"), "spec.overrides.ana.until", "is no point in time"),
    case("a run of nothing", obj("WorkflowRun", "r", "input: {}"), "spec.input.workflow", "is required"),
    case("a run that is pinned by hand", obj("WorkflowRun", "r", "input: {workflow: w}\npin: {version: w-v1, number: 1, digest: x, environment: e, at: now}"), "spec.pin", "only the controller"),
    case("a run with two payloads", obj("WorkflowRun", "r", "input: {workflow: w, payload: {}, payloadRef: x}"), "spec.input.payloadRef", "keep one"),
]  # fmt: skip


def together(name: str, field: str, says: str, *manifests: str) -> Case:
    return Case(name, {"workflow.yaml": manifests[0], "others.yaml": "---\n".join(manifests[1:])}, field, says)


SETS = [
    together("an unknown environment", "spec.environments.sandbx", "did you mean sandbox?", workflow(GOOD, "environments: {sandbx: Active}"), SANDBOX),
    together("a state in an unknown environment", "metadata.name", "there is no environment prod", obj("EnvironmentState", "hello.prod", "state: Active"), SANDBOX),
    together("a run in an unknown environment", "spec.input.environment", "there is no environment prod", obj("WorkflowRun", "r", "input: {workflow: hello, environment: prod}"), SANDBOX),
    together("a run with an undeclared parameter", "spec.input.params.x", "hello has no parameter x", obj("WorkflowRun", "r", "input: {workflow: hello, params: {x: 1}}"), steps(f"name: a, {PY}")),
    together("a split by a key that is not there", "spec.split", "hello has no stickyKey", obj("Rollout", "hello", "percent: 5\nsplit: Hash"), steps(f"name: a, {PY}")),
    together("a gate in an unknown environment", "spec.steps[0].gate.environments[0]", "there is no environment prod", obj("Rollout", "hello", "steps: [{percent: 100, gate: {minRuns: 1, environments: [prod]}}]"), SANDBOX, steps(f"name: a, {PY}")),
]  # fmt: skip

CASES: list[Case] = [*WORKFLOWS, *ROLLOUTS, *OTHERS, *SETS]
