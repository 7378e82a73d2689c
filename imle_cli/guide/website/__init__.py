"""The guide as a website: a folder of pages, pictures, a style and a script, which opens from the disk, offline."""

from imle_cli.guide.website.site import write_site

__all__ = ["write_site"]
