"""``python -m imle_cli`` is the command ``imle``."""

import sys
from contextlib import suppress
from pathlib import Path

if __name__ == "__main__":  # worker processes import this module too
    # Python puts the current folder first, where a random.py would take the place of the library; the command does not.
    with suppress(FileNotFoundError):  # the current folder has gone
        if sys.path[0] in ("", str(Path.cwd())) and Path.cwd() != Path(__file__).resolve().parents[1]:
            sys.path.append(sys.path.pop(0))
    from imle_cli.app import main

    main()
