"""What the API server says of a token, and whose pod's it is by that."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.adapters.kubernetes.launching.reviews import PodIdentity, pod_identity

GOOD = {
    "authenticated": True,
    "audiences": ["sluice"],
    "user": {
        "username": "system:serviceaccount:team:default",
        "extra": {
            "authentication.kubernetes.io/pod-name": ["p"],
            "authentication.kubernetes.io/pod-uid": ["u"],
        },
    },
}


def test_a_review_names_the_pod() -> None:
    assert pod_identity(GOOD) == PodIdentity("team", "default", "p", "u")


@pytest.mark.parametrize(
    "status",
    [
        {},
        GOOD | {"authenticated": False},
        GOOD | {"audiences": ["https://kubernetes.default.svc"]},
        GOOD | {"user": {"username": "ana@example.com", "extra": GOOD["user"]["extra"]}},  # type: ignore[index]
        GOOD | {"user": {"username": "system:serviceaccount:team:default"}},
    ],
)
def test_a_token_without_a_pod_or_for_somebody_else_is_nobody_s(status: dict[str, Any]) -> None:
    assert pod_identity(status) is None
