"""Arrays become pictures: matplotlib figures, crisp tiles, one palette."""
