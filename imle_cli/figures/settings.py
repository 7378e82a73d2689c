"""Matplotlib without the settings of whoever runs the command."""

import logging
import os
from pathlib import Path


def ignore_user_settings() -> None:
    """Has this process import matplotlib with its own defaults, without windows and without messages.

    Matplotlib reads the user's files and variables while it is imported: a line that it does not know is a message, an
    unknown backend or a file in another encoding an error, and a locale is set for the whole process. It also warns of a
    home that cannot be written to. To be called before anything imports matplotlib.
    """
    os.environ["MPLBACKEND"] = "agg"
    os.environ["MATPLOTLIBRC"] = os.devnull
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)
    if Path("matplotlibrc").exists():  # the current folder comes before the variable
        here = Path.cwd()
        os.chdir(Path(__file__).parent)
        try:
            import matplotlib  # noqa: F401
        finally:
            os.chdir(here)
