"""``python -m imle_cli`` is the command ``imle``."""

from imle_cli.app import main

main()
