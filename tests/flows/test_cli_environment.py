"""What the environment does wrong, and how the command line says so: no trace, the right exit code."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.cli import Cli, assert_plain, running_cli

_PRIVATE = "pa55word"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    yield from running_cli(tmp_path, monkeypatch, capsys)


@pytest.fixture
def shop(cli: Cli) -> Cli:
    assert cli.add().code == 0
    return cli


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        (
            {"BRIDGE_DATABASE_URL": f"mysql://u:{_PRIVATE}@h/d"},
            2,
            "must begin with postgresql:// or sqlite:///",
        ),
        ({"BRIDGE_DATABASE_URL": f"nonsense {_PRIVATE}"}, 2, "is not a database address"),
        ({"BRIDGE_DATABASE_URL": "sqlite://"}, 2, "needs a file"),
        ({"BRIDGE_DATABASE_URL": "sqlite:////proc/nope/ledger.db"}, 2, "cannot be made"),
        ({"BRIDGE_DATABASE_URL": "sqlite:///other.db"}, 2, "Run `bridge migrate`"),
        (
            {"BRIDGE_DATABASE_URL": f"postgresql://u:{_PRIVATE}@127.0.0.1:1/d"},
            1,
            "The ledger could not be reached. Start the database",
        ),
        ({"BRIDGE_SECRET_KEY": "short"}, 2, "too short"),
        ({"BRIDGE_HOOKS_PORT": _PRIVATE}, 2, "BRIDGE_HOOKS_PORT must be a whole number"),
        ({"BRIDGE_LOG_FORMAT": "xml"}, 2, "BRIDGE_LOG_FORMAT must be 'text' or 'json'"),
    ],
)
def test_a_wrong_setting_of_the_process_is_told_plainly(
    cli, environment: dict[str, str], code: int, words: str
) -> None:
    ended = cli.process("jobs", "list", **environment)
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert _PRIVATE not in ended.err
    assert_plain(ended)


def test_a_ledger_of_a_newer_version_is_left_alone_and_that_is_said(shop) -> None:
    with closing(sqlite3.connect(".bridge/ledger.db")) as connection, connection:
        connection.execute("UPDATE ledger_version SET version_num = '9999'")
    for command in (("jobs", "list"), ("migrate",), ("instance", "list", "--json"), ("serve", "--embedded")):
        ended = shop(*command)
        assert (ended.code, ended.out) == (2, "")
        assert "A newer version of the bridge has made this ledger: its schema is 9999" in ended.err
        assert_plain(ended)
    told = shop("doctor")
    assert told.code == 1
    assert "its schema is 9999" in " ".join(told.out.split())
    # A worker of this version that is not embedded does not send a person to migrate, which could not.
    ended = shop.process("jobs", "list", BRIDGE_DATABASE_URL="sqlite:///.bridge/ledger.db")
    assert "its schema is 9999" in ended.err


def test_a_file_that_is_no_ledger_is_said_to_be_none(cli) -> None:
    Path("some.db").write_text("this is no database, and long enough to be seen to be none\n" * 100)
    for command in (("migrate",), ("jobs", "list")):
        ended = cli.process(*command, BRIDGE_DATABASE_URL="sqlite:///some.db")
        assert (ended.code, ended.out) == (2, "")
        assert "no database, or is damaged" in ended.err
        assert_plain(ended)


def test_an_empty_key_file_is_named(cli) -> None:
    Path(".bridge").mkdir()
    Path(".bridge/secret.key").write_text("\n")
    ended = cli("jobs", "list")
    assert (ended.code, ended.out) == (2, "")
    assert ".bridge/secret.key is empty" in ended.err


def test_ctrl_c_while_a_command_starts_leaves_no_trace(cli) -> None:
    # As if it came while the modules are imported.
    start = (
        "import builtins\n"
        "real = builtins.__import__\n"
        "def interrupted(name, *rest):\n"
        "    if name == 'bridge.cli.main': raise KeyboardInterrupt\n"
        "    return real(name, *rest)\n"
        "builtins.__import__ = interrupted\n"
        "from bridge.cli import main\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", start], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "Stopped.\n")


@pytest.mark.parametrize("number", ["", "  ", "1" * 51, "1\x1b[2J"])
@pytest.mark.parametrize(
    "command", [("preview", "order"), ("explain", "order"), ("run", "import-order"), ("orders", "accept")]
)
def test_what_is_no_order_number_is_refused_without_asking_anybody(shop, command, number: str) -> None:
    ended = shop(*command, number)
    assert (ended.code, ended.out) == (2, "")
    assert "as Magento shows it, such as 000000042" in ended.err


def test_another_key_than_the_ledgers_is_refused(cli) -> None:
    assert cli.process("migrate", BRIDGE_SECRET_KEY="a key of sufficient length").code == 0
    ended = cli.process("jobs", "list", BRIDGE_SECRET_KEY="another key of enough length")
    assert ended.code == 2
    assert "not the key of this ledger" in ended.err
    assert_plain(ended)


def test_a_lost_key_file_is_not_replaced_by_a_new_key(shop) -> None:
    key = Path(".bridge/secret.key")
    kept = key.read_bytes()
    key.unlink()
    ended = shop("jobs", "list")
    assert (ended.code, "Restore the key" in ended.err) == (2, True)
    assert not key.exists()
    key.write_bytes(kept)
    assert shop("instance", "list").code == 0


def test_a_file_that_is_no_ledger_is_told_plainly(cli) -> None:
    Path("other.db").write_text("this is no database, and long enough to be looked at" * 100)
    ended = cli.process("jobs", "list", BRIDGE_DATABASE_URL="sqlite:///other.db")
    assert ended.code in {1, 2}
    assert_plain(ended)


def test_a_folder_that_cannot_be_made_is_told_plainly(cli) -> None:
    Path(".bridge").write_text("a file stands in the way")
    ended = cli.process("jobs", "list")
    assert (ended.code, "BRIDGE_DATABASE_URL" in ended.err) == (2, True)
    assert_plain(ended)


def test_many_processes_that_begin_at_once_agree_on_one_key(cli) -> None:
    command = [Path(sys.executable).with_name("bridge"), "instance", "list", "--json"]
    begun = [
        subprocess.Popen(command, cwd=cli.folder, env=cli.environment(), stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    assert [(one.communicate(timeout=60)[0], one.returncode) for one in begun] == [(b"[]\n", 0)] * 4
    assert [one.name for one in Path(".bridge").glob("secret*")] == ["secret.key"]


@pytest.mark.parametrize("command", [("worker",), ("beat",), ("flower",), ("serve",)])
def test_no_process_runs_on_a_throwaway_ledger(cli, command: tuple[str, ...]) -> None:
    for environment in ({}, {"BRIDGE_BROKER_URL": "amqp://127.0.0.1:1"}):
        ended = cli.process(*command, **environment)
        assert ended.code == 2
        assert "BRIDGE_DATABASE_URL and BRIDGE_BROKER_URL" in ended.err
        assert_plain(ended)


def test_output_that_nobody_reads_to_its_end_leaves_no_trace(shop) -> None:
    script = f"'{Path(sys.executable).with_name('bridge')}' instance show | head -c 1 >/dev/null"
    done = subprocess.run(
        ["bash", "-c", script],
        env=shop.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == b""


@pytest.mark.parametrize("name", ["instance", "jobs"])
def test_a_closed_standard_output_ends_with_1(shop, name: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            [Path(sys.executable).with_name("bridge"), name, "list", "--json"],
            env=shop.environment(),
            stdout=write_end,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (1, b"")


def test_names_that_the_terminal_cannot_show_do_not_end_the_command(shop) -> None:
    assert shop("mappings", "ignore", "payment_method", "caf\u00e9 \U0001f600").code == 0
    latin = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    shown = shop.process("mappings", "list", "--json", **latin)
    assert json.loads(shown.out)[0]["value"] == "caf\u00e9 \U0001f600"
    done = subprocess.run(
        [Path(sys.executable).with_name("bridge"), "mappings", "list"],
        env=shop.environment(**latin),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"caf\xe9 ?" in done.stdout


def test_ctrl_c_ends_without_a_trace(shop) -> None:
    assert shop("pause").code == 0
    # Whoever runs the tests in the background leaves Ctrl-C ignored, and a command inherits that.
    with subprocess.Popen(
        ["env", "--default-signal=INT", Path(sys.executable).with_name("bridge"), "run", "noop", "--wait"],
        env=shop.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        # Its job is there once it waits; while all is paused it waits for ever.
        while not shop("jobs", "list", "--json").json:
            assert process.poll() is None
        while not any(one["name"] == "processes" for one in shop("doctor", "--json").json):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"Stopped waiting. The jobs stay in the ledger" in err
    assert b"Traceback" not in out + err
