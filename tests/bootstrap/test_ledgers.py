"""Which ledger a URL names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sluice.bootstrap.ledgers import open_ledger
from sluice.ports.clock import SystemClock
from sluice.ports.errors import Unavailable


def test_a_file_is_made_where_the_url_says(tmp_path: Path) -> None:
    opened = open_ledger(f"sqlite:///{tmp_path}/new/ledger.db", SystemClock())
    opened.lead()
    assert opened.ledger.open_runs() == []
    opened.close()

    assert (tmp_path / "new" / "ledger.db").exists()


def test_a_file_that_another_process_has_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:////{tmp_path}/ledger.db"
    opened = open_ledger(url, SystemClock())
    with pytest.raises(Unavailable, match="in use by another process"):
        open_ledger(url, SystemClock())
    opened.close()


@pytest.mark.parametrize(
    "url", ["", "ledger.db", "sqlite://ledger.db", "sqlite:///", "mysql://u:secret@h/d", "sqlite:x"]
)
def test_a_url_that_names_no_ledger_is_refused_and_no_password_shown(url: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:////path/to/ledger\.db or postgresql://") as caught:
        open_ledger(url, SystemClock())
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("module", ["psycopg", "kubernetes.client.api"])
def test_what_a_controller_on_sqlite_does_not_need_it_does_not_load(module: str) -> None:
    code = "import sys, sluice.bootstrap.cluster; print(sys.argv[1] in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, module], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
