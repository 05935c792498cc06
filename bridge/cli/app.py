"""What commands share: the settings, the ledger, the instance that is meant, and secrets from outside."""

from __future__ import annotations

import getpass
import os
import sys
from functools import cached_property
from pathlib import Path

import click

from bridge.bootstrap import make_runtime, open_ledger
from bridge.engine import Runtime
from bridge.ledger import Instance, Ledger
from bridge.settings import Settings, process_settings

#: No key of either system is longer.
_MAX_SECRET_BYTES = 64 * 1024


class App:
    """One call of the command line."""

    def __init__(self) -> None:
        #: Whether the logs' information is shown.
        self.is_verbose = False

    @cached_property
    def settings(self) -> Settings:
        """The settings of this process."""
        return process_settings()

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, opened at the first use."""
        return open_ledger(self.settings)

    @cached_property
    def runtime(self) -> Runtime:
        """What is needed to call the systems outside of jobs."""
        return make_runtime(self.ledger, self.settings)

    def instance(self, name: str | None) -> Instance:
        """Return the instance ``name``; the only one where the name is left out."""
        known = self.ledger.instances.names()
        if name is None and len(known) > 1:
            raise click.UsageError(f"There are several instances; say which: --instance {'|'.join(known)}.")
        if not known:
            raise click.UsageError("There is no instance yet. Add one with `bridge instance add NAME ...`.")
        found = self.ledger.instances.find(name or known[0])
        if found is None:
            raise click.UsageError(f"There is no instance {name!r}. There are: {', '.join(known)}.")
        return found

    def instance_name(self, name: str | None) -> str | None:
        """Return ``name`` if there is such an instance; None, which means all of them, where it is left out."""
        return None if name is None else self.instance(name).name

    def close(self) -> None:
        """Close what was opened."""
        runtime = self.__dict__.pop("runtime", None)
        if runtime is not None:
            runtime.close()
        ledger = self.__dict__.pop("ledger", None)
        if ledger is not None:
            ledger.close()


pass_app = click.make_pass_decorator(App)


def person() -> str:
    """Return who decides, for the ledger's history."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a user id without a name.
        return f"uid {os.getuid()}"


def read_secret(given: str, *, option: str) -> str:
    """Return the secret that ``given`` points to: ``@FILE``, ``env:NAME`` or ``-`` for standard input.

    Never the secret itself: arguments stand in ``ps`` and in the shell's history. No message repeats what was
    given: it may be a secret by mistake.
    """
    if given == "-":
        raw = sys.stdin.buffer.read(_MAX_SECRET_BYTES + 1)
    elif given.startswith("env:"):
        raw = os.environb.get(os.fsencode(given.removeprefix("env:")), b"")
        if not raw:
            raise click.UsageError(f"{option}: the environment has no such variable, or it is empty.")
    elif given.startswith("@"):
        raw = _read_file(given[1:], option=option)
    else:
        raise click.UsageError(
            f"{option}: a secret is given as @FILE, env:NAME or - (standard input), never as the argument itself: "
            "arguments can be seen by others. If it was a real one, make a new one."
        )
    return _as_text(raw, option=option)


def _read_file(name: str, *, option: str) -> bytes:
    try:
        with Path(name).expanduser().open("rb") as file:
            return file.read(_MAX_SECRET_BYTES + 1)
    except FileNotFoundError:
        why = "there is no such file"
    except IsADirectoryError:
        why = "it is a directory"
    except PermissionError:
        why = "this user may not read it"
    except (OSError, RuntimeError, ValueError):
        why = "it is no readable file"
    raise click.UsageError(f"{option}: the file named after @ cannot be read: {why}.")


def _as_text(raw: bytes, *, option: str) -> str:
    if len(raw) > _MAX_SECRET_BYTES:
        raise click.UsageError(f"{option}: that is too long to be a secret.")
    try:
        secret = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise click.UsageError(f"{option}: the secret is not text in UTF-8.") from None
    if not secret:
        raise click.UsageError(f"{option}: the secret is empty.")
    return secret
