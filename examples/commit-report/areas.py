# ruff: noqa: D100, F821 - payload is what a step finds; output is what it leaves
from collections import defaultdict
from datetime import datetime
from statistics import median

DEPTH = 3
lines, touched = defaultdict(lambda: [0, 0]), defaultdict(set)
for commit in payload["commits"]:
    for path, added, removed in commit["files"]:
        area = "/".join(path.split("/")[:-1][:DEPTH]) or "the top"
        lines[area][0] += added
        lines[area][1] += removed
        touched[area].add(commit["commit"])

areas = [
    {"name": area, "commits": len(touched[area]), "added": added, "removed": removed}
    for area, (added, removed) in lines.items()
]
times = [datetime.fromisoformat(commit["at"]) for commit in payload["commits"]]
sizes = [sum(added + removed for _, added, removed in commit["files"]) for commit in payload["commits"]]
output = {
    "commits": len(payload["commits"]),
    "first": min(times).date().isoformat(),
    "last": max(times).date().isoformat(),
    "medianSize": median(sizes),
    "areas": sorted(areas, key=lambda area: (-area["added"] - area["removed"], area["name"])),
}
print(f"{len(areas)} areas in {len(times)} commits")
