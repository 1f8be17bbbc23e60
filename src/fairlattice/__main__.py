"""``python -m fairlattice`` is ``fairlattice``."""

import sys

from fairlattice.cli import main

if __name__ == "__main__":
    sys.exit(main())
