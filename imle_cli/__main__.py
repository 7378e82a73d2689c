"""``python -m imle_cli`` is the command ``imle``."""

from imle_cli.app import main

if __name__ == "__main__":  # worker processes import this module too
    main()
