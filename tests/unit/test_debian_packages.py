"""The servers' packages are installed once, however many test processes miss them at the same moment."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support import debian

AT_ONCE = 3


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine without the servers."""
    monkeypatch.setattr(debian, "_POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(debian, "RABBITMQ_SERVER", tmp_path / "rabbitmq-server")
    monkeypatch.setattr(debian, "postgres_bin", lambda: tmp_path if (tmp_path / "initdb").exists() else None)
    return tmp_path


def test_one_installs_and_the_others_wait(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policies: list[str] = []
    together = threading.Barrier(AT_ONCE)

    def install(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert debian.APT_LINE in command
        policies.append((bare / "policy-rc.d").read_text())
        (bare / "rabbitmq-server").touch()
        (bare / "initdb").touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    def look() -> Path | None:
        # All of them have seen that the servers are missing before one installs them.
        found = (bare / "initdb").exists()
        if not found and not policies:
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(0.5)
        return bare if found else None

    monkeypatch.setattr(debian, "postgres_bin", look)
    monkeypatch.setattr(debian.subprocess, "run", install)
    monkeypatch.setattr(debian.os, "geteuid", lambda: 0)
    monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
    (bare / "policy-rc.d").write_text("this machine's own\n")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one in [pool.submit(debian.ensure_installed) for _ in range(AT_ONCE)]:
            one.result(timeout=30)
    assert policies == ["#!/bin/sh\nexit 101\n"]
    assert (bare / "policy-rc.d").read_text() == "this machine's own\n"


def test_who_may_not_install_is_given_the_one_line(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian.os, "geteuid", lambda: 1000)
    with pytest.raises(debian.MissingServers) as caught:
        debian.ensure_installed()
    assert str(caught.value) == f"PostgreSQL and RabbitMQ are needed. As root: {debian.APT_LINE}"
    assert not list(bare.iterdir())
