"""``bridge sandbox``: try the bridge without touching a shop."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cli import Cli, assert_plain, running_cli
from tests.support.processes import free_port


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    yield from running_cli(tmp_path, monkeypatch, capsys)


@contextmanager
def running(cli: Cli, *options: str, end: signal.Signals = signal.SIGTERM) -> Iterator[str]:
    """Run a sandbox meanwhile; gives what it says at its start."""
    magento, odoo = str(free_port()), str(free_port())
    with subprocess.Popen(
        [
            Path(sys.executable).with_name("bridge"),
            "sandbox",
            "--magento-port",
            magento,
            "--odoo-port",
            odoo,
            *options,
        ],
        env={**cli.environment(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        assert child.stdout is not None
        said = ""
        while "Ctrl-C ends it." not in said:
            line = child.stdout.readline()
            assert line, said
            said += line
        try:
            yield said
        finally:
            child.send_signal(end)
            rest = child.stdout.read()
    assert child.returncode == 0, rest
    assert "is removed" in rest


def test_its_own_commands_import_and_explain_an_order(cli: Cli) -> None:
    with running(cli) as said:
        commands = re.findall(r"^    bridge (.*)$", said, re.MULTILINE)
        assert len(commands) == 6
        for command in commands:
            ended = cli(*command.split())
            assert ended.code == 0, (command, ended.err)
            assert_plain(ended)
        counts = [job["state"] for job in cli("jobs", "list", "--json", "--limit", "1000").json]
        assert set(counts) == {"done"}
        assert len(counts) >= 60
        assert cli("run", "import-orders", "--from", "2015-01-01", "--wait").code == 0
    # Nothing is left that points to it.
    assert cli("instance", "list", "--json").json == []


def test_an_unmapped_order_waits_and_goes_on_by_the_tax_that_is_named(cli: Cli) -> None:
    with running(cli, "--unmapped", end=signal.SIGINT) as said:
        number = re.findall(r"import-order (\d+)", said)[0]
        taxes = {match[2]: match[1] for match in re.finditer(r"^(\d+) +(\S+) ", said, re.MULTILINE)}
        ended = cli("run", "import-order", number, "--wait", "--json")
        assert [job["error_code"] for job in ended.json["jobs"]] == [None, "mapping_missing"]
        wrong = cli("mappings", "set", "tax", "DE-19|19", taxes["DE-7"])
        assert "rate is 19 % and this one 7 %" in wrong.err
        ended = cli("run", "import-order", number, "--wait", "--json")
        assert [job["error_code"] for job in ended.json["jobs"]] == [None, "mapping_wrong"]
        # Another decision lets it go on.
        right = cli("mappings", "set", "tax", "DE-19|19", taxes["DE-19"])
        assert ("go on: 1." in right.out, right.err) == (True, "")
        assert cli("jobs", "list", "--label", number, "--json").json[0]["state"] == "pending"
        assert cli("run", "import-order", number, "--wait").code == 0


def test_a_tax_that_is_no_sales_tax_is_refused(cli: Cli) -> None:
    with running(cli):
        ended = cli("mappings", "set", "tax", "DE-19|19", "999999")
        assert (ended.code, "no account.tax with the id 999999" in ended.err) == (2, True)
        ended = cli("mappings", "set", "tax", "DE-19|19", "2")
        assert (ended.code, "is no sales tax" in ended.err) == (2, True)


def test_a_port_that_is_taken_and_a_name_that_is_taken_are_told_plainly(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = cli("sandbox", "--magento-port", port)
        assert (ended.code, f"The port {port}" in ended.err) == (2, True)
        assert_plain(ended)
    cli.add("sandbox")
    magento, odoo = str(free_port()), str(free_port())
    ended = cli("sandbox", "--magento-port", magento, "--odoo-port", odoo)
    assert (ended.code, "Choose another name" in ended.err) == (2, True)
    assert len(cli("instance", "list", "--json").json) == 1
