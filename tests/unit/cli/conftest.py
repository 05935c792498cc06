"""The command line in an empty folder, or in one with an embedded ledger and one instance."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Cli, running_cli

_TEMPLATES: dict[str, Path] = {}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    yield from running_cli(tmp_path, monkeypatch, capsys)


@pytest.fixture
def shop(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Give a command line with one instance; made once, and copied for each test."""
    if "shop" not in _TEMPLATES:
        assert cli.add().code == 0
        kept = tmp_path_factory.mktemp("shop") / "kept"
        shutil.copytree(cli.folder, kept)
        _TEMPLATES["shop"] = kept
        return cli
    shutil.copytree(_TEMPLATES["shop"], cli.folder, dirs_exist_ok=True)
    return cli
