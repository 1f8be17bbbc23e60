"""The command line: parses, calls, prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 a gate fell, 2 anything else."""
    from fairlattice.cli._interrupt import follows_interruption, one_interrupt

    try:
        with one_interrupt():
            # Imported here, so that an interruption while modules load is one like any other.
            from fairlattice.cli._main import run_command

            return run_command(argv)
    except (KeyboardInterrupt, RuntimeError) as error:
        if not follows_interruption(error):
            raise
        sys.stderr.write("fairlattice: interrupted; nothing was written.\n")
        return 2


__all__ = ["main"]
