"""Runs the command line in tests: in this process, or as a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from bridge.cli.main import call
from bridge.sandbox import Sandbox
from bridge.settings import process_settings

KEYS = {
    "consumer_key": "ck-5f1d0c9a7e",
    "consumer_secret": "cs-83ba1f77d2",
    "access_token": "at-0e44c6b1aa",
    "access_token_secret": "as-b7720d13fe",
}
ODOO_KEY = "ok-d41d8cd98f00b204"


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """Runs commands in this process, or as a process of their own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *args: str) -> Ended:
        process_settings.cache_clear()
        self._capsys.readouterr()
        code = call(args)
        captured = self._capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    def process(self, *args: str, stdin: str = "", **environment: str) -> Ended:
        done = subprocess.run(
            [Path(sys.executable).with_name("bridge"), *args],
            cwd=self.folder,
            env=self.environment(**environment),
            input=stdin.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    @staticmethod
    def environment(**more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        return {**kept, **more}

    def add_box(self, box: Sandbox, *more: str) -> None:
        """Add the sandbox as the instance ``shop``, with ``--set`` for each of ``more``."""
        (self.folder / "oauth.json").write_text(json.dumps(box.magento.secret))
        (self.folder / "odoo.key").write_text(box.odoo.key)
        added = self(
            *("instance", "add", "shop", "--magento-url", box.magento.url, "--magento-oauth", "@oauth.json"),
            *("--odoo-url", box.odoo.url, "--odoo-db", box.odoo.database, "--odoo-user", box.odoo.user),
            *("--odoo-key", "@odoo.key", *(part for one in more for part in ("--set", one))),
        )
        assert added.code == 0

    def add(self, name: str = "shop", *more: str) -> Ended:
        (self.folder / "oauth.json").write_text(json.dumps(KEYS))
        (self.folder / "odoo.key").write_text(f"{ODOO_KEY}\n")
        return self(
            *("instance", "add", name, "--magento-url", "https://shop.example.test"),
            *("--magento-oauth", "@oauth.json", "--odoo-url", "https://odoo.example.test"),
            *("--odoo-db", "main", "--odoo-user", "bridge@example.test", "--odoo-key", "@odoo.key", *more),
        )


def all_secrets() -> list[str]:
    return [*KEYS.values(), ODOO_KEY]


def assert_plain(ended) -> None:
    """Assert that a person is shown words, not a trace or the names of classes."""
    text = ended.out + ended.err
    assert "Traceback" not in text
    assert 'File "' not in text
    assert "pydantic" not in text
    assert "sqlalchemy" not in text.lower()


def files_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def running_cli(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Cli]:
    """Give a command line that runs in ``folder``."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("COLUMNS", raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure = structlog.configure
    # A module's logger that is made here would keep this test's standard error, which is closed after it.
    monkeypatch.setattr(
        structlog, "configure", lambda **given: configure(**{**given, "cache_logger_on_first_use": False})
    )
    yield Cli(folder, capsys)
    process_settings.cache_clear()
    # Each command sets logging up anew, to the standard error of its time.
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
