"""Every command says in its group's list, in whole sentences, what it is for."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from bridge.cli.main import bridge
from tests.support.cli import Cli


def groups(command: click.Command = bridge, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        yield path
        for name, one in command.commands.items():
            yield from groups(one, (*path, name))


@pytest.mark.parametrize("path", list(groups()), ids=" ".join)
def test_a_groups_help_shows_whole_sentences(cli: Cli, path: tuple[str, ...]) -> None:
    shown = cli(*path, "--help")
    assert shown.code == 0
    commands = shown.out.partition("Commands:\n")[2]
    assert commands, "no commands are listed"
    assert "..." not in commands
