"""The entry point: one parser, one place where errors become one line and an exit code.

0: done. 1: a gate fell. 2: bad input, a full disk, or an interruption. Never a traceback, unless
the environment variable FAIRLATTICE_DEBUG is set.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import fairlattice
from fairlattice._validation import did_you_mean
from fairlattice.cli import _audit, _augment, _compare, _demo
from fairlattice.exceptions import InputError

COMMANDS = (_audit, _compare, _augment, _demo)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            known = [option for action in self._actions for option in action.option_strings]
            message += "." + did_you_mean(unknown.split()[0].split("=")[0], known)
        self.exit(2, f"{self.prog}: {message.rstrip('.')}. See {self.prog} --help.\n")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="fairlattice",
        description="Fair classifiers at the intersections of sensitive attributes, where data runs out.",
        epilog="Begin with: fairlattice demo",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fairlattice {fairlattice.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in COMMANDS:
        command = commands.add_parser(
            module.NAME,
            help=module.HELP,
            description=module.HELP,
            epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run, prog=command.prog)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows another
    arguments, unknown = build_parser().parse_known_args(argv)
    if unknown:
        command = next(m for m in COMMANDS if m.run is arguments.run)
        parser = _Parser(prog=arguments.prog, allow_abbrev=False)
        command.add_arguments(parser)
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _fail(arguments.prog, "interrupted; nothing was written.")
    except InputError as error:
        return _fail(arguments.prog, str(error))
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _fail(arguments.prog, "out of memory. Use fewer rows, or fewer jobs (--jobs 1).")
    except Exception as error:
        if os.environ.get("FAIRLATTICE_DEBUG"):
            raise
        told = " ".join(str(error).split())[:300]
        return _fail(
            arguments.prog, f"failed: {type(error).__name__}: {told} (set FAIRLATTICE_DEBUG=1 for details)"
        )
    return code


def _fail(prog: str, message: str) -> int:
    """Tell in one line what went wrong."""
    sys.stderr.write(f"{prog}: {' '.join(message.split())}\n")
    return 2
