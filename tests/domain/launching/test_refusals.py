"""What a cluster says when it takes no pod, in words that help."""

from __future__ import annotations

import pytest

from sluice.api.reasons import Reason
from sluice.domain.launching.refusals import job_refusal

POD = 'Error creating: pods "hello-0123456789-1-x7k2p" is forbidden: '


@pytest.mark.parametrize(
    ("said", "reason", "told"),
    [
        (
            POD
            + "exceeded quota: compute, requested: limits.memory=1Gi, used: limits.memory=4Gi, limited: limits.memory=4Gi",
            Reason.QUOTA_EXCEEDED,
            "exceeded quota: compute, requested: limits.memory=1Gi, used: limits.memory=4Gi, limited: limits.memory=4Gi; "
            "wait, raise the quota, or lower spec.runner.resources",
        ),
        (
            'jobs.batch "hello-0123456789-1" is forbidden: exceeded quota: objects, requested: count/jobs.batch=1, '
            "used: count/jobs.batch=50, limited: count/jobs.batch=50",
            Reason.QUOTA_EXCEEDED,
            "exceeded quota: objects, requested: count/jobs.batch=1, used: count/jobs.batch=50, limited: count/jobs.batch=50; "
            "wait, raise the quota, or lower spec.runner.resources",
        ),
        (
            POD + "failed quota: compute: must specify limits.cpu for: runner",
            Reason.QUOTA_EXCEEDED,
            "failed quota: compute: must specify limits.cpu for: runner; say in spec.runner.resources what the quota asks for",
        ),
        (
            POD + 'violates PodSecurity "restricted:latest": restricted volume types (volume "disk" uses hostPath)',
            Reason.POD_REFUSED,
            'violates PodSecurity "restricted:latest": restricted volume types (volume "disk" uses hostPath); '
            "correct spec.runner as the namespace's Pod Security asks",
        ),
        (
            POD + 'error looking up service account prod/deployer: serviceaccount "deployer" not found',
            Reason.POD_REFUSED,
            'error looking up service account prod/deployer: serviceaccount "deployer" not found; '
            "make the service account, or correct serviceAccountName",
        ),
        (
            POD + "maximum memory usage per Container is 512Mi, but limit is 1Gi",
            Reason.POD_REFUSED,
            "maximum memory usage per Container is 512Mi, but limit is 1Gi; "
            "keep spec.runner.resources within the namespace's LimitRange",
        ),
        (
            'jobs.batch "hello" is forbidden: unable to create new content in namespace prod because it is being terminated',
            Reason.POD_REFUSED,
            "unable to create new content in namespace prod because it is being terminated; "
            "name another namespace in spec.namespace",
        ),
        (
            'Error creating: admission webhook "images.example.com" denied the request: unsigned image',
            Reason.POD_REFUSED,
            'admission webhook "images.example.com" denied the request: unsigned image',
        ),
        ("", Reason.POD_REFUSED, "the cluster refused its pod and did not say why"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(said: str, reason: Reason, told: str) -> None:
    refusal = job_refusal(said)
    assert (refusal.reason, refusal.message) == (reason, told)
