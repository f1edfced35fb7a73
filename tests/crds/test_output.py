"""What is committed is what the models say, and anybody can make it again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import yaml

from sluice.crds import printer_columns, schemas
from sluice.crds.__main__ import main
from sluice.crds.definitions import definitions
from sluice.crds.output import HEADER, as_yaml, bundle, generated_files
from sluice.crds.policies import policy_manifests

ROOT = Path(__file__).parents[2]


def test_the_committed_files_are_up_to_date() -> None:
    assert main(["--check", "--root", str(ROOT)]) == 0


def test_a_file_that_was_edited_is_named_and_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(tmp_path)]) == 0
    assert main(["--check", "--root", str(tmp_path)]) == 0
    edited = tmp_path / "crds" / "sluice.dev_rollouts.yaml"
    edited.write_text(edited.read_text() + "\n")
    assert main(["--check", "--root", str(tmp_path)]) == 1
    assert "sluice.dev_rollouts.yaml is out of date" in capsys.readouterr().err


def test_generating_twice_gives_the_same_bytes() -> None:
    assert generated_files(ROOT) == generated_files(ROOT)


def test_each_file_says_that_it_is_generated_and_reads_back_as_it_was() -> None:
    for name, manifest in definitions().items():
        text = (ROOT / "crds" / name).read_text()
        assert text.startswith(HEADER)
        assert yaml.safe_load(text) == manifest
    policies = (ROOT / "manifests" / "base" / "admission-policies.yaml").read_text()
    assert list(yaml.safe_load_all(policies)) == policy_manifests()


def test_a_field_named_y_is_quoted_because_kubectl_reads_it_as_true() -> None:
    assert b"'y': 1" in as_yaml({"y": 1})


def test_no_field_has_a_name_that_kubectl_reads_as_a_boolean() -> None:
    read_as_boolean = {"y", "n", "yes", "no", "on", "off", "true", "false"}

    def names(schema: object) -> set[str]:
        if isinstance(schema, list):
            return set().union(*map(names, schema)) if schema else set()
        if not isinstance(schema, dict):
            return set()
        own = set(schema.get("properties", {})) if isinstance(schema.get("properties"), dict) else set()
        return own.union(*map(names, schema.values()))

    assert not {name.lower() for name in names(schemas())} & read_as_boolean


def test_no_definition_comes_near_what_an_api_server_stores() -> None:
    assert max(len(orjson.dumps(manifest)) for manifest in definitions().values()) < 512 * 1024


def test_the_bundle_holds_schemas_and_columns_of_all_kinds() -> None:
    loaded = orjson.loads(bundle())
    assert {kind: entry["schema"] for kind, entry in loaded.items()} == schemas()
    assert {kind: entry["columns"] for kind, entry in loaded.items()} == printer_columns()


def test_reading_the_bundle_does_not_load_the_models() -> None:
    program = "import sys, sluice.crds; sluice.crds.schemas(); print(sorted({'pydantic', 'yaml'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
