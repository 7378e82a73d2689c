"""Maps of costs from pictures, arrays, tables and text formats."""
