"""Self-contained pages: one file of HTML that opens from the disk, offline, without a request."""
