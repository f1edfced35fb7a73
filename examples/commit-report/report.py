# ruff: noqa: D100, F821 - steps is what a step finds; output is what it leaves
found = steps.areas.output
rows = [
    f"| {area['name']} | {area['commits']} | +{area['added']} | -{area['removed']} |" for area in found["areas"][:12]
]
verdict = steps.advise.output or steps.praise.output
output = "\n".join(
    [
        f"# {found['commits']} commits, {found['first']} to {found['last']}",
        "",
        f"The median commit changes {found['medianSize']:g} lines.",
        f"Tests come with {steps.hygiene.output['testedShare']} % of the commits that change code.",
        "",
        "| area | commits | added | removed |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        verdict,
    ]
)
