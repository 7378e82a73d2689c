"""Tables of text: separators, numbers, titles and names of columns."""
