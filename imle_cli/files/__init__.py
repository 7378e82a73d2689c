"""Readers and writers of files: each reader refuses what it cannot read with an error that names the file."""
