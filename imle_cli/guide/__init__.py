"""The guide: pages in Markdown beside this file, for a terminal, a website, and GitHub.

Each page has one subject. A page begins with its title and one paragraph, which is its summary in lists. Links are those of
files, relative to this folder, so that they work on GitHub; :mod:`.links` turns them into what another reader can follow.
"""

from imle_cli.guide.catalogue import ORDER, Page, find, pages
from imle_cli.guide.terminal import contents, for_terminal

__all__ = ["ORDER", "Page", "contents", "find", "for_terminal", "pages"]
