"""The command ``broth``: ``python -m broth`` is the same."""

import signal
import sys

from ._broth import command


def main() -> None:
    """Run the command line, and exit with its exit code."""
    # Ctrl-C and a closed pipe are the command's, as where there is no Python.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(command(["broth", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
