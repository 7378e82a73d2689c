"""Frames become animations: GIF, WebP, APNG or MP4."""
