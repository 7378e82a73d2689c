"""Files that are written over and over again: ``from overwriting import write_over``."""


def write_over(path, content):
    """Gives a file its content, as ``write_bytes`` does, which waits for the disk where it empties the file first."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(content)
        file.truncate()
