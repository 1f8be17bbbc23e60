"""The command line: parses, calls, prints."""

from fairlattice.cli._main import main

__all__ = ["main"]
