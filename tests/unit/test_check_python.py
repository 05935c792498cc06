"""What ``make`` says on a machine that lacks something: one line for an administrator, and exit 2."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bin" / "check-python"
GOOD, OLD = "#!/bin/sh\nexit 0\n", "#!/bin/sh\nexit 1\n"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Give the programs of a machine on which this user is nobody special and Docker does not answer."""
    program(tmp_path, "id", "#!/bin/sh\necho 1000\n")
    program(tmp_path, "docker", OLD)
    # The servers may be there where the tests run.
    program(tmp_path, "ls", OLD)
    return tmp_path


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def check(programs: Path, *goals: str, **environment: str) -> tuple[int, list[str], str]:
    path = {"PATH": f"{programs}:/usr/bin:/bin", **environment}
    done = subprocess.run(
        ["sh", str(SCRIPT), "python3.x", *goals], capture_output=True, text=True, check=False, env=path
    )
    return done.returncode, done.stderr.splitlines(), done.stdout


def apt(*packages: str) -> str:
    return f"As root: apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"


def test_all_that_is_missing_is_one_line(programs: Path) -> None:
    program(programs, "python3.x", OLD)
    code, lines, out = check(programs, "test")
    assert (code, out) == (2, "")
    assert lines[-1] == apt("python3", "python3-venv", "rabbitmq-server", "postgresql")
    assert [line for line in lines if "apt-get" in line] == lines[-1:]


def test_the_demo_needs_python_only(programs: Path) -> None:
    program(programs, "python3.x", OLD)
    assert check(programs, "demo")[1][-1] == apt("python3", "python3-venv")
    program(programs, "python3.x", GOOD)
    assert check(programs, "demo") == (0, [], "")


def test_servers_are_missing_only_where_none_is_given_or_can_be_started(programs: Path) -> None:
    program(programs, "python3.x", GOOD)
    assert check(programs, "test") == (2, [apt("rabbitmq-server", "postgresql")], "")
    given = {"BRIDGE_TEST_POSTGRES_URL": "postgresql://h/d", "BRIDGE_TEST_BROKER_URL": "amqp://h"}
    assert check(programs, "test", **given) == (0, [], "")
    program(programs, "docker", GOOD)
    assert check(programs, "test") == (0, [], "")


def test_who_may_install_but_has_an_old_python_is_told(programs: Path) -> None:
    program(programs, "id", "#!/bin/sh\necho 0\n")
    program(programs, "apt-get", "#!/bin/sh\nexit 0\n")
    program(programs, "python3.x", OLD)
    code, lines, _ = check(programs, "test")
    assert code == 2
    assert "make PYTHON=" in lines[-1]
