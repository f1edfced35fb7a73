"""The templates of the Helm chart: the same objects, with what the chart's values choose left open.

An object is made with marks where a value belongs; in the text each mark becomes an expression of Helm. The marks are
words, so that the text is dumped, quoted and wrapped like that of any other manifest.

The definitions are templates, not in the chart's ``crds`` folder, since Helm never upgrades what is there, and an old
definition drops a new release's fields without a word. Helm keeps them, and the ledger's volume, when the release goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sluice import __version__
from sluice.crds.definitions import definitions
from sluice.manifests.objects import parts
from sluice.manifests.settings import Manifest, Overlay, Settings

FOLDER = "charts/sluice"
AsYaml = Callable[[Sequence[Manifest]], str]

_EXPRESSIONS = {
    "namespace": "$.Release.Namespace",
    "image": 'include "sluice.image" $',
    "pullPolicy": "$.Values.image.pullPolicy",
    "replicas": "$.Values.replicas",
    "resources": "toJson $.Values.resources",
    "storage": "toJson $.Values.ledger.storage",
    "secretName": "toJson $.Values.ledger.secret.name",
    "secretKey": "toJson $.Values.ledger.secret.key",
    "launchNamespace": "toJson .",
    "keepFor": "quote $.Values.endedRuns.keepFor",
    "keepSucceeded": "toJson $.Values.endedRuns.succeeded | quote",
    "keepFailed": "toJson $.Values.endedRuns.failed | quote",
    "keepInNamespace": "toJson $.Values.endedRuns.perNamespace | quote",
}
_OPTIONAL = {
    "nodeSelector": "nodeSelector",
    "tolerations": "tolerations",
    "imagePullSecrets": "image.pullSecrets",
    "storageClassName": "ledger.storageClassName",
}
"""Fields that are left out where their value is empty."""
_MARK = re.compile(r"VALUE_(\w+?)_")
_OPTIONAL_MARK = re.compile(r"^( *)OPTIONAL_(\w+): null$", re.M)

KEEP = {"helm.sh/resource-policy": "keep"}
HOOK = {"helm.sh/hook": "post-install,post-upgrade"}
NO_ENVIRONMENT = (
    'not (and ($.Capabilities.APIVersions.Has "sluice.dev/v1alpha1/Environment")'
    ' (lookup "sluice.dev/v1alpha1" "Environment" "default" "local"))'
)
"""Helm would delete what a hook made before it makes it anew, and with it what people made of it."""


def chart_files(as_yaml: AsYaml) -> dict[str, str]:
    """Path in the repository to text, of all files of the chart but those that are written by hand."""
    made = {f"{FOLDER}/Chart.yaml": as_yaml([_chart()])}
    for name, manifest in definitions().items():
        text = _text([_annotated(manifest, KEEP)], as_yaml)
        made[f"{FOLDER}/templates/crds/{name}"] = _when("$.Values.crds.install", text)
    for name, text in _templates(as_yaml).items():
        made[f"{FOLDER}/templates/{name}.yaml"] = text
    return made


def _templates(as_yaml: AsYaml) -> dict[str, str]:
    marked: dict[str, Any] = {"namespace": "VALUE_namespace_", "image": "VALUE_image_"}
    everything = parts(Settings(**marked, webhook=True, pod_monitor=True, default_environment=True))
    replicated = parts(Settings(**marked, overlay=Overlay.HA))
    chosen = parts(Settings(**marked, launch_in=("VALUE_launchNamespace_",)))
    environment = [_annotated(manifest, HOOK) for manifest in everything["default-environment"]]
    volume = [_annotated(_with_storage(manifest), KEEP) for manifest in everything["ledger"]]
    on_volume = _text([_open_deployment(*everything["deployment"])], as_yaml)
    on_server = _text([_open_deployment(*replicated["deployment"])], as_yaml)
    in_chosen = "{{- range $.Values.launchIn }}\n---\n" + _text(chosen["launcher-bindings"], as_yaml) + "{{- end }}\n"
    return {
        **{
            name: _text(everything[name], as_yaml)
            for name in ("admission-policies", "controller-rights", "people-rights", "service")
        },
        "launcher-bindings": _either(
            "not $.Values.launchIn", _text(everything["launcher-bindings"], as_yaml), in_chosen
        ),
        "deployment": _either(_ON_VOLUME, on_volume, on_server),
        "ledger": _when(_ON_VOLUME, _text(volume, as_yaml)),
        "disruption-budget": _when("gt (int $.Values.replicas) 1", _text(replicated["disruption-budget"], as_yaml)),
        "webhook": _when("$.Values.webhook.enabled", _text(everything["webhook"], as_yaml)),
        "podmonitor": _when("$.Values.podMonitor.enabled", _text(everything["podmonitor"], as_yaml)),
        "default-environment": _when(
            f"and $.Values.defaultEnvironment.enabled ({NO_ENVIRONMENT})", _text(environment, as_yaml)
        ),
    }


_ON_VOLUME = 'eq $.Values.ledger.kind "sqlite"'


def _chart() -> Manifest:
    return {
        "apiVersion": "v2",
        "name": "sluice",
        "description": "A Kubernetes-native GitOps controller for versioned workflows.",
        "type": "application",
        "version": __version__,
        "appVersion": __version__,
        "kubeVersion": ">=1.31.0-0",
    }


def _open_deployment(manifest: Manifest) -> Manifest:
    """A Deployment with marks for what the chart's values choose."""
    spec = manifest["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    env = [_with_mark(variable) for variable in container["env"]]
    opened = {"imagePullPolicy": "VALUE_pullPolicy_", "resources": "VALUE_resources_", "env": env}
    optional = {f"OPTIONAL_{field}": None for field in ("nodeSelector", "tolerations", "imagePullSecrets")}
    template = spec["template"] | {"spec": pod | {"containers": [container | opened]} | optional}
    return manifest | {"spec": spec | {"replicas": "VALUE_replicas_", "template": template}}


_CHOSEN = {
    "SLUICE_KEEP_FOR": "VALUE_keepFor_",
    "SLUICE_KEEP_SUCCEEDED": "VALUE_keepSucceeded_",
    "SLUICE_KEEP_FAILED": "VALUE_keepFailed_",
    "SLUICE_KEEP_IN_NAMESPACE": "VALUE_keepInNamespace_",
}
"""Variables whose values the chart's values choose."""


def _with_mark(variable: Manifest) -> Manifest:
    if variable["name"] in _CHOSEN:
        return variable | {"value": _CHOSEN[variable["name"]]}
    if "secretKeyRef" not in variable.get("valueFrom", {}):
        return variable
    return variable | {"valueFrom": {"secretKeyRef": {"name": "VALUE_secretName_", "key": "VALUE_secretKey_"}}}


def _with_storage(claim: Manifest) -> Manifest:
    resources = {"requests": {"storage": "VALUE_storage_"}}
    return claim | {"spec": claim["spec"] | {"resources": resources, "OPTIONAL_storageClassName": None}}


def _annotated(manifest: Manifest, annotations: dict[str, str]) -> Manifest:
    return manifest | {"metadata": manifest["metadata"] | {"annotations": annotations}}


def _text(manifests: Sequence[Manifest], as_yaml: AsYaml) -> str:
    text = as_yaml(manifests).replace("{{", '{{ "{{" }}')
    text = _MARK.sub(lambda mark: f"{{{{ {_EXPRESSIONS[mark[1]]} }}}}", text)
    return _OPTIONAL_MARK.sub(
        lambda mark: (
            f"{{{{- with $.Values.{_OPTIONAL[mark[2]]} }}}}\n{mark[1]}{mark[2]}: {{{{ toJson . }}}}\n{{{{- end }}}}"
        ),
        text,
    )


def _when(condition: str, text: str) -> str:
    return f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n"


def _either(condition: str, text: str, otherwise: str) -> str:
    return f"{{{{- if {condition} }}}}\n{text}{{{{- else }}}}\n{otherwise}{{{{- end }}}}\n"
