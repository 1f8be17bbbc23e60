"""One parser, and one place where errors become one line and an exit code.

0: done. 1: a gate fell. 2: bad input, a full disk, or an interruption. Never a traceback, unless
the environment variable FAIRLATTICE_DEBUG is set.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import fairlattice
from fairlattice._validation import did_you_mean, printable
from fairlattice.cli import _audit, _augment, _bench, _compare, _demo, _diagnose, _report
from fairlattice.cli._interrupt import follows_interruption
from fairlattice.cli._skeleton import run
from fairlattice.exceptions import InputError
from fairlattice.tables._shared import collected

COMMANDS = (_audit, _compare, _augment, _diagnose, _bench, _report, _demo)

_LISTS = ("--strategies", "--methods", "--datasets")  # options that take names with commas between them


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        hint = ""
        if message.endswith("TABLE"):
            hint = " Put the file first, before the options."
        elif "invalid choice: " in message:
            word = message.split("invalid choice: ")[1].split(" (")[0].strip("'")
            known = re.findall(r"'([^']+)'", message.partition("(choose from")[2])
            hint = did_you_mean(word, known or [module.NAME for module in COMMANDS])
        self._refuse(message, hint)

    def unrecognized(self, unknown: Sequence[str], argv: Sequence[str]) -> NoReturn:
        """Refuse arguments that nobody takes."""
        word = unknown[0].split("=")[0]
        if word.startswith("-"):
            known = [option for action in self._actions for option in action.option_strings]
            hint = did_you_mean(word, known, cutoff=0.7, ignoring="-")  # dashes do not make two options alike
        else:
            hint = _on_names(unknown[0], argv)
        self._refuse(f"unrecognized arguments: {' '.join(map(repr, unknown))}", hint)

    def format_help(self) -> str:
        """The help, for which an epilog that takes time to write is written now."""
        epilog: Any = self.epilog
        if callable(epilog):
            self.epilog = epilog()
        return super().format_help()

    def _refuse(self, message: str, hint: str) -> NoReturn:
        line = " ".join(message.split()).rstrip(".")
        self.exit(2, f"{self.prog}: {line}.{hint} See {self.prog} --help.\n")


def _on_names(word: str, argv: Sequence[str]) -> str:
    """Say that commas belong between names, where `word` follows an option that takes a list of them."""
    at = list(argv).index(word) if word in argv else 0
    first = max((i for i, text in enumerate(argv[:at]) if text.startswith("-")), default=None)
    if first is None or argv[first] not in _LISTS:
        return ""
    names = itertools.takewhile(lambda text: not text.startswith("-"), argv[first + 1 :])
    return f" Put commas between names, as in {argv[first]} {','.join(name.strip(',') for name in names)}."


def build_parser() -> tuple[_Parser, dict[str, _Parser]]:
    """The whole command line, and the parser of every command."""
    parser = _Parser(
        prog="fairlattice",
        description="Fair classifiers at the intersections of sensitive attributes, where data runs out.",
        epilog="Begin with: fairlattice demo",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fairlattice {fairlattice.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    parsers = {}
    for module in COMMANDS:
        command = commands.add_parser(
            module.NAME,
            help=module.HELP,
            description=module.HELP,
            epilog=getattr(module, "epilog", None) or module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(command)
        command.set_defaults(command=module, prog=command.prog)
        parsers[command.prog] = command
    return parser, parsers


def run_command(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    _prepare_streams()
    try:
        code = _run(argv)
        sys.stdout.flush()
    except OSError:
        from fairlattice.cli._output import silence_stdout

        silence_stdout()
        code = 2
    return code


def _run(argv: Sequence[str] | None) -> int:
    parser, parsers = build_parser()
    prog, interrupted = "fairlattice", "interrupted; nothing was written."
    try:
        try:
            arguments, unknown = parser.parse_known_args(argv)
            prog, interrupted = arguments.prog, getattr(arguments, "interrupted", interrupted)
            if unknown:
                parsers[prog].unrecognized(unknown, sys.argv[1:] if argv is None else argv)
        except SystemExit as stop:  # the parser has said it all
            return int(stop.code or 0)
        with collected() as arguments.assumed:
            return run(arguments.command, arguments)
    except SystemExit as stop:
        return _fail(prog, f"code that it ran ended the program: sys.exit({stop.code!r}).")
    except KeyboardInterrupt:
        return _fail(prog, interrupted)
    except InputError as error:
        return _fail(prog, str(error))
    except MemoryError:
        return _fail(prog, "out of memory. Use fewer rows, or fewer jobs (--jobs 1).")
    except Exception as error:
        if follows_interruption(error):
            return _fail(prog, interrupted)
        if os.environ.get("FAIRLATTICE_DEBUG"):
            raise
        words = " ".join([type(error).__name__ + ":", *str(error).split()])[:300].rstrip(".:")
        said = " ".join([f"{words}.", *getattr(error, "__notes__", ())])
        return _fail(prog, f"failed: {said} Set FAIRLATTICE_DEBUG=1 for the traceback.")


def _prepare_streams() -> None:
    """Let a terminal that lacks a sign show another, and a closed stream take what it is given."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - as long as we live
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _fail(prog: str, message: str) -> int:
    """Say in one line what went wrong."""
    sys.stderr.write(f"{prog}: {printable(message)}\n")
    return 2
