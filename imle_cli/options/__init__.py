"""Options that commands share, in groups, each defined once."""
