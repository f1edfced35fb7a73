# ruff: noqa: D100, F821 - payload and params are what a step finds; output is what it leaves
remarks = []
with_code = with_both = 0
for commit in payload["commits"]:
    name = f"{commit['commit']} {commit['subject'][:60]}"
    if len(commit["subject"]) > params["longSubject"]:
        remarks.append(f"{name}: the subject has {len(commit['subject'])} characters")
    size = sum(added + removed for _, added, removed in commit["files"])
    if size > params["bigCommit"]:
        remarks.append(f"{name}: {size} lines are hard to review")
    paths = [path for path, _, _ in commit["files"]]
    has_code = any(path.endswith(".py") and not path.startswith("tests/") for path in paths)
    has_tests = any(path.startswith("tests/") for path in paths)
    with_code += has_code
    with_both += has_code and has_tests

share = round(100 * with_both / with_code) if with_code else 100
if share < 50:
    remarks.append(f"only {share} % of the commits with code have tests beside it")
output = {"remarks": remarks, "testedShare": share}
