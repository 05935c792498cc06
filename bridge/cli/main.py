"""``bridge``: the command, and the one place where errors become plain words and exit codes."""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from collections.abc import Sequence

import click
from pydantic import ValidationError

from bridge import __version__
from bridge.advice import advise
from bridge.cli import run_exports  # noqa: F401  # adds its commands to `run`
from bridge.cli.accept_order import orders
from bridge.cli.app import App
from bridge.cli.bindings import bindings
from bridge.cli.conflicts import conflicts
from bridge.cli.control import doctor, migrate, pause, resume
from bridge.cli.demo import demo
from bridge.cli.drift import drift
from bridge.cli.events import events
from bridge.cli.fix_drift import fix_drift
from bridge.cli.groups import Commands
from bridge.cli.instances import instance
from bridge.cli.jobs import jobs
from bridge.cli.logs import logs
from bridge.cli.mappings import mappings
from bridge.cli.orders import explain, preview
from bridge.cli.output import print_text
from bridge.cli.processes import beat, flower, serve, worker
from bridge.cli.publish import publish
from bridge.cli.run import run
from bridge.cli.sandbox import sandbox
from bridge.cli.schedules import schedules
from bridge.cli.stock import stock
from bridge.errors import BridgeError, ConfigurationError
from bridge.logs import configure_logging
from bridge.masking import mask_text
from bridge.setting_words import plain_words

#: Exit codes: done, the work failed or was blocked, wrong usage or configuration.
EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bridge")
@click.option("-v", "--verbose", is_flag=True, help="Show the log's information, too (on stderr).")
@click.pass_context
def bridge(context: click.Context, *, verbose: bool) -> None:
    """Keeps a Magento 2 store and an Odoo database telling the same story.

    Every reading command has --json. Secrets are given as @FILE, env:NAME or -, never as an argument.
    """
    app = context.ensure_object(App)
    app.is_verbose = verbose
    configure_logging(app.settings.log_format, level=logging.INFO if verbose else logging.WARNING)
    context.call_on_close(app.close)


for command in (
    beat,
    bindings,
    conflicts,
    demo,
    doctor,
    drift,
    events,
    explain,
    flower,
    instance,
    jobs,
    logs,
    mappings,
    migrate,
    orders,
    pause,
    preview,
    publish,
    resume,
    run,
    sandbox,
    schedules,
    serve,
    stock,
    worker,
):
    bridge.add_command(command)
run.add_command(fix_drift)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal cannot show must not end the command.
            stream.reconfigure(errors="replace")
    code = call(args)
    try:
        sys.stdout.flush()
    except OSError:
        # Whoever read our output has gone; without this Python complains about it when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or EXIT_FAILED
    sys.exit(code)


def call(args: Sequence[str] | None = None) -> int:  # noqa: PLR0911  # one return a kind of end
    """Run the command line and return its exit code; no error leaves as a trace."""
    try:
        result = bridge.main(
            args=None if args is None else list(args), prog_name="bridge", standalone_mode=False
        )
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _stop("Stopped.", EXIT_FAILED)
    except click.ClickException as exc:
        exc.show()
        return EXIT_USAGE
    except ValidationError as exc:
        return _stop(f"Error: {settings_error(exc)}", EXIT_USAGE)
    except ConfigurationError as exc:
        return _stop(f"Error: {exc.message}", EXIT_USAGE)
    except BridgeError as exc:
        return _stop(f"Error: {error_text(exc)}", EXIT_FAILED)
    except BrokenPipeError:
        return EXIT_FAILED
    except SystemExit as exc:
        # click and rich end so when whoever read our output has gone.
        return exc.code if isinstance(exc.code, int) else EXIT_FAILED
    except Exception as exc:  # noqa: BLE001  # the outermost layer: no trace at users, whatever happened
        return _stop(_defect(exc), EXIT_FAILED)
    return result if isinstance(result, int) else EXIT_DONE


def error_text(error: BridgeError) -> str:
    """Return a failure in plain English with what to do about it."""
    found = advise(error)
    what = found.text if found.happened == error.message else f"{error.message} {found.what_to_do}"
    return what.strip()


def settings_error(error: ValidationError) -> str:
    """Return what is wrong with which setting; never the value itself, it may be a secret."""
    parts = []
    for one in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in one["loc"]) or "settings"
        prefix = "BRIDGE_" if error.title == "Settings" else ""
        parts.append(plain_words(f"{prefix}{name.upper() if prefix else name}", one))
    return "; ".join(parts)


def _stop(text: str, code: int) -> int:
    try:
        print_text(text, err=True)
    except OSError:
        return code
    return code


def _defect(error: Exception) -> str:
    if "-v" in sys.argv[1:2] or "--verbose" in sys.argv[1:2]:
        return mask_text("".join(traceback.format_exception(error)))
    return (
        f"Error: the bridge came upon something that it was not made for ({type(error).__name__}). Nothing was half "
        "written. Report it with what `bridge --verbose ...` prints."
    )
