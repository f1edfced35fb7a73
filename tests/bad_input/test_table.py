"""Every bad input gets one clear line that names its file and field (DESIGN 2, rule 13)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.adapters.files.manifests import check_directory
from tests.bad_input.cases import CASES, Case, write_files


def test_there_are_over_a_hundred_cases_each_with_its_own_name() -> None:
    assert len(CASES) >= 100
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_bad_input_is_refused_with_one_line_that_says_where_and_what(case: Case, tmp_path: Path) -> None:
    write_files(case, tmp_path)
    result = check_directory(tmp_path)
    lines = [str(finding) for finding in result.errors]
    assert [line for line in lines if case.matches(line)], "\n".join(lines)
    assert len(lines) == 1, "\n".join(lines)
    assert "\n" not in lines[0]
