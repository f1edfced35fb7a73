"""The checker goes by the rules of kstatus."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.kstatus import Standing, faults, standing


def an_object(*conditions: tuple[str, str], observed: int | None = 2, **metadata: Any) -> dict[str, Any]:
    made = {
        "metadata": {"generation": 2, **metadata},
        "status": {
            "conditions": [
                {
                    "type": type,
                    "status": status,
                    "reason": "X",
                    "message": "",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                }
                for type, status in conditions
            ]
        },
    }
    if observed is not None:
        made["status"]["observedGeneration"] = observed  # type: ignore[assignment]
    return made


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (an_object(("Ready", "True")), Standing.CURRENT),
        (an_object(("Ready", "True"), observed=1), Standing.IN_PROGRESS),
        (an_object(("Ready", "False")), Standing.IN_PROGRESS),
        (an_object(("Ready", "Unknown")), Standing.IN_PROGRESS),
        (an_object(("Ready", "False"), ("Reconciling", "True")), Standing.IN_PROGRESS),
        (an_object(("Ready", "False"), ("Stalled", "True")), Standing.FAILED),
        (an_object(("Ready", "True"), deletionTimestamp="2026-01-01T00:00:00Z"), Standing.TERMINATING),
        (an_object(), Standing.CURRENT),
    ],
)
def test_an_object_stands_where_kstatus_says(obj: dict[str, Any], expected: Standing) -> None:
    assert standing(obj) is expected


def test_a_status_that_says_all_has_no_faults() -> None:
    assert faults(an_object(("Ready", "True"))) == []


def test_whatever_a_status_lacks_is_named() -> None:
    obj = an_object(("Stalled", "False"), observed=None)
    del obj["status"]["conditions"][0]["reason"]
    assert faults(obj) == [
        "status.observedGeneration is missing",
        "there is no condition Ready",
        "condition Stalled has no reason",
        "condition Stalled is there and not true",
    ]
