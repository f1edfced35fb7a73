"""The writing thread: one commit for whatever is queued, an answer from the commit, nothing half-written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sluice.adapters.sqlite.writer import StopTheWorld, Writer
from sluice.ports.errors import Unavailable


class Faults:
    """A fault hook that raises ``error`` at ``point`` while armed."""

    def __init__(self) -> None:
        self.armed: dict[str, BaseException] = {}

    def __call__(self, point: str) -> None:
        error = self.armed.get(point)
        if error is not None:
            raise error


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture(params=["file", "memory"])
def writer(request: pytest.FixtureRequest, tmp_path: Path, faults: Faults) -> Iterator[Writer]:
    opened = Writer(tmp_path / "a.db" if request.param == "file" else ":memory:", fault=faults)
    opened.run(lambda c: c.execute("CREATE TABLE t (x INTEGER UNIQUE)"))
    yield opened
    opened.close()


def insert(value: int) -> Callable[[sqlite3.Connection], int]:
    def op(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO t VALUES (?)", (value,))
        return value

    return op


def rows(writer: Writer) -> list[int]:
    return [row[0] for row in writer.readonly().execute("SELECT x FROM t ORDER BY x").fetchall()]


def test_an_answer_comes_after_the_commit(writer: Writer) -> None:
    assert writer.run(insert(1)) == 1
    assert rows(writer) == [1]


def test_a_failing_operation_is_undone_alone(writer: Writer) -> None:
    def writes_then_fails(connection: sqlite3.Connection) -> None:
        insert(2)(connection)
        raise ValueError("changed my mind")

    hold = threading.Event()
    writer.submit(lambda _: hold.wait(10), lambda *_: None)
    answers: list[tuple[object, BaseException | None]] = []
    for op in (insert(1), writes_then_fails, insert(3)):
        writer.submit(op, lambda result, error: answers.append((result, error)))
    hold.set()
    writer.run(lambda _: None)
    assert [type(error) for _, error in answers] == [type(None), ValueError, type(None)]
    assert rows(writer) == [1, 3]


def test_what_is_queued_shares_one_commit(writer: Writer) -> None:
    hold = threading.Event()
    writer.submit(lambda _: hold.wait(10), lambda *_: None)
    before = writer.counters.commits
    for value in range(100):
        writer.submit(insert(value), lambda *_: None)
    hold.set()
    writer.run(lambda _: None)
    assert len(rows(writer)) == 100
    assert writer.counters.commits - before <= 3


def test_when_the_commit_fails_everybody_hears_that_nothing_was_written(writer: Writer, faults: Faults) -> None:
    faults.armed["before-commit"] = sqlite3.OperationalError("database or disk is full")
    with pytest.raises(Unavailable, match="nothing was written: database or disk is full"):
        writer.run(insert(1))
    assert rows(writer) == []
    faults.armed.clear()
    assert writer.run(insert(1)) == 1


def test_a_database_that_is_really_full_loses_nothing_and_recovers(writer: Writer) -> None:
    writer.run(lambda c: c.execute("CREATE TABLE big (body BLOB)"))
    pages = writer.run(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    writer.run(lambda c: c.execute(f"PRAGMA max_page_count={pages + 4}").fetchone())
    with pytest.raises(Unavailable, match="nothing was written"):
        writer.run(lambda c: c.execute("INSERT INTO big VALUES (zeroblob(100000))"))
    writer.run(insert(5))
    writer.run(lambda c: c.execute("PRAGMA max_page_count=1000000").fetchone())
    writer.run(lambda c: c.execute("INSERT INTO big VALUES (zeroblob(100000))"))
    assert rows(writer) == [5]


def test_a_stopped_world_writes_nothing_more(writer: Writer, faults: Faults) -> None:
    faults.armed["operation"] = StopTheWorld()
    with pytest.raises(Unavailable, match="may or may not"):
        writer.run(insert(1))
    faults.armed.clear()
    with pytest.raises(Unavailable, match="nothing was written"):
        writer.run(insert(2))
    assert rows(writer) == []


def test_participants_move_with_the_transaction(writer: Writer, faults: Faults) -> None:
    class Recorder:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def seal(self, connection: sqlite3.Connection) -> None:
            self.seen.append("seal")

        def committed(self) -> None:
            self.seen.append("committed")

        def rolled_back(self) -> None:
            self.seen.append("rolled back")

    recorder = Recorder()
    writer.join(recorder)
    writer.run(insert(1))
    faults.armed["before-commit"] = sqlite3.OperationalError("disk I/O error")
    with pytest.raises(Unavailable):
        writer.run(insert(2))
    assert recorder.seen == ["seal", "committed", "seal", "rolled back"]


def test_listeners_are_called_once_per_commit_after_the_answers(writer: Writer) -> None:
    order: list[str] = []
    called = threading.Event()
    writer.on_commit(lambda: (order.append("commit"), called.set()))  # type: ignore[arg-type]
    writer.submit(insert(1), lambda *_: order.append("answer"))
    assert called.wait(10)
    assert order == ["answer", "commit"]


def test_closing_writes_what_is_queued_and_refuses_what_comes_later(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "b.db")
    writer.run(lambda c: c.execute("CREATE TABLE t (x INTEGER)"))
    for value in range(1000):
        writer.submit(insert(value), lambda *_: None)
    writer.close()
    writer.close()
    with pytest.raises(Unavailable, match="closed"):
        writer.run(insert(1))
    again = Writer(tmp_path / "b.db")
    assert len(rows(again)) == 1000
    again.close()


def test_a_second_process_on_the_same_file_is_told_so(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "c.db")
    program = (
        "import sys\nfrom sluice.adapters.sqlite.writer import Writer\nfrom sluice.ports.errors import Unavailable\n"
        "try:\n    Writer(sys.argv[1])\nexcept Unavailable as error:\n    print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "c.db")], capture_output=True, text=True, check=True, timeout=60
    )
    assert "c.db is in use by another process" in said.stdout
    with pytest.raises(Unavailable, match="in use"):
        Writer(tmp_path / "c.db")
    writer.close()
    Writer(tmp_path / "c.db").close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "d.db").write_bytes(b"this is not a database, it is a letter to you" * 100)
    with pytest.raises(Unavailable, match=r"can't open .*d\.db"):
        Writer(tmp_path / "d.db")


def test_waiting_for_itself_is_refused(writer: Writer) -> None:
    with pytest.raises(RuntimeError, match="submit"):
        writer.run(lambda _: writer.run(insert(1)))
