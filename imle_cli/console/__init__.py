"""Results on standard output, all else on standard error."""

from imle_cli.console.document import Document
from imle_cli.console.loading import Loading
from imle_cli.console.preview import Preview
from imle_cli.console.report import Report, Result, line_of_files, time_and_files
from imle_cli.console.table import Lines, Table, aligned

__all__ = [
    "Document",
    "Lines",
    "Loading",
    "Preview",
    "Report",
    "Result",
    "Table",
    "aligned",
    "line_of_files",
    "time_and_files",
]
