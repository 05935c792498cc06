"""Groups of commands, as their help shows them."""

from __future__ import annotations

import click

#: No first sentence is longer: it is shown whole, not cut off with dots.
_SENTENCE = 400


class Commands(click.Group):
    """A group whose help says of each command its whole first sentence; so do the groups in it."""

    group_class = type

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, one.get_short_help_str(_SENTENCE)) for name, one in commands if one and not one.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
