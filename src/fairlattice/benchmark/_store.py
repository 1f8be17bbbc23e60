"""Results that survive anything: one SQLite file, in which every finished trial is found by its key.

A trial is claimed before it is run and its result is written in one transaction, so that whatever is
killed whenever loses at most what it had claimed. Several runners may share a file: each holds an
operating-system lock as long as it lives, which no kill can leave behind, so the claims of the dead are
distinguished from those of the living and are taken over.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from filelock import FileLock, Timeout

from fairlattice._files import resolved
from fairlattice.exceptions import InputError

_VERSION = 1
_PATIENCE = 60.0  # seconds that another's transaction may take
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tables (key TEXT PRIMARY KEY, about TEXT NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS trials (
    key TEXT PRIMARY KEY, spec TEXT NOT NULL, state TEXT NOT NULL, runner TEXT NOT NULL,
    result TEXT, payload BLOB
);
"""


class Job(Protocol):
    """What a store keeps results of."""

    @property
    def key(self) -> str:
        """Digest of the specification."""
        ...

    def plain(self) -> dict[str, Any]:
        """The specification."""
        ...


@dataclass(frozen=True)
class Record:
    """What a store holds of a trial.

    Parameters
    ----------
    key : str
        Digest of the specification.
    spec : mapping
        The specification.
    state : {"done", "failed", "running"}
        How far it has come.
    result : mapping
        What was found, or for a failed trial ``{"error": …}``.
    payload : bytes
        Arrays that belong to the result.
    """

    key: str
    spec: Mapping[str, Any]
    state: str
    result: Mapping[str, Any]
    payload: bytes


class Store:
    """The results of trials in one SQLite file.

    Parameters
    ----------
    path : Path
        The file; it is made if it is not there.

    Raises
    ------
    InputError
        If the file is something else, or cannot be read or written.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = resolved(path)  # one store has one path, whatever links lead to it
        self._read_only = not create
        if not create and not self.path.is_file():
            raise InputError(
                f"`{path}` is not there. Run `fairlattice bench run` first, or name its --store."
            )
        self._runner = uuid.uuid4().hex
        self._lock: FileLock | None = None
        with self._transaction(write=create) as db:
            self._check(db, create=create)

    def _check(self, db: sqlite3.Connection, *, create: bool) -> None:
        """Raise if this is another database; make the tables of a new one."""
        (version,) = db.execute("PRAGMA user_version").fetchone()
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        if version > _VERSION and {"tables", "trials"} <= names:
            raise InputError(
                f"`{self.path}` was written by a newer fairlattice. Update, or name another --store."
            )
        if not names and create:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {_VERSION}")
        elif version != _VERSION or not {"tables", "trials"} <= names:
            raise InputError(
                f"`{self.path}` is a database, but not one of ours. Name another file with --store."
            )

    def __enter__(self) -> Self:
        """Hold the lock that says that this runner lives."""
        self._lock = FileLock(self._lock_path(self._runner))
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of all that was claimed and not finished."""
        try:
            with contextlib.suppress(InputError), self._transaction() as db:  # others see that we are gone
                db.execute("DELETE FROM trials WHERE state='running' AND runner=?", (self._runner,))
        finally:
            if self._lock is not None:
                self._lock.release()
                Path(self._lock.lock_file).unlink(missing_ok=True)
                self._lock = None

    def claim(self, job: Job, *, retry: bool = False) -> bool:
        """Take a trial if nobody has; with `retry` also one that failed."""
        with self._transaction() as db:
            found = db.execute("SELECT state, runner FROM trials WHERE key=?", (job.key,)).fetchone()
            if found is not None:
                state, runner = found
                free = (state == "running" and not self._lives(runner)) or (state == "failed" and retry)
                if not free:
                    return False
            row = (job.key, json.dumps(job.plain(), sort_keys=True), "running", self._runner)
            db.execute("INSERT OR REPLACE INTO trials (key, spec, state, runner) VALUES (?, ?, ?, ?)", row)
        return True

    def finish(self, job: Job, state: str, result: Mapping[str, Any], payload: bytes = b"") -> None:
        """Keep the result of a trial."""
        spec, text = json.dumps(job.plain(), sort_keys=True), json.dumps(result, allow_nan=False)
        row = (job.key, spec, state, self._runner, text, payload)
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO trials VALUES (?, ?, ?, ?, ?, ?)", row)

    def states(self, keys: Iterable[str]) -> dict[str, str]:
        """State of those trials that the store knows."""
        with self._transaction(write=False) as db:
            known = dict(db.execute("SELECT key, state FROM trials"))
        return {key: known[key] for key in keys if key in known}

    def records(self) -> list[Record]:
        """Everything, the newest result last."""
        with self._transaction(write=False) as db:
            rows = db.execute(
                "SELECT key, spec, state, result, payload FROM trials ORDER BY rowid"
            ).fetchall()
        return [
            Record(key, json.loads(spec), state, json.loads(result or "{}"), payload or b"")
            for key, spec, state, result, payload in rows
        ]

    def keep_table(self, key: str, about: Mapping[str, Any], payload: bytes) -> None:
        """Keep what trials of a table are counted from."""
        with self._transaction() as db:
            row = (key, json.dumps(about, allow_nan=False), payload)
            db.execute(
                "INSERT INTO tables VALUES (?, ?, ?)"
                " ON CONFLICT(key) DO UPDATE SET about=excluded.about, payload=excluded.payload",
                row,
            )

    def tables(self) -> dict[str, tuple[dict[str, Any], bytes]]:
        """What was kept of every table, the first one first."""
        with self._transaction(write=False) as db:
            rows: Sequence[tuple[str, str, bytes]] = db.execute(
                "SELECT key, about, payload FROM tables ORDER BY rowid"
            ).fetchall()
        return {key: (json.loads(about), payload) for key, about, payload in rows}

    def _lives(self, runner: str) -> bool:
        """Whether a runner still holds its lock; what a dead one left behind is removed."""
        if runner == self._runner:
            return True
        path = self._lock_path(runner)
        if not path.exists():
            return False
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        path.unlink(missing_ok=True)
        return False

    def _lock_path(self, runner: str) -> Path:
        return self.path.with_name(f".{self.path.name}.{runner}.lock")

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self._read_only else "rwc"
        where = f"{self.path.as_uri()}?mode={mode}"
        return sqlite3.connect(where, uri=True, timeout=_PATIENCE, isolation_level=None)

    @contextlib.contextmanager
    def _transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """A connection of its own, as threads and forks need; all is written, or nothing."""
        try:
            with contextlib.closing(self._connect()) as db:
                db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                try:
                    yield db
                except BaseException:
                    db.execute("ROLLBACK")
                    raise
                db.execute("COMMIT")
        except sqlite3.Error as error:
            reason = (
                "is not a store of this program"
                if "not a database" in str(error)
                else f"cannot be used: {error}"
            )
            raise InputError(f"`{os.fspath(self.path)}` {reason}. Name another file with --store.") from error
