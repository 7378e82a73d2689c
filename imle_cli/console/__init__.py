"""Results on standard output, all else on standard error."""

from imle_cli.console.loading import Loading
from imle_cli.console.preview import Preview
from imle_cli.console.report import Lines, Report, Result, Table, line_of_files, time_and_files

__all__ = ["Lines", "Loading", "Preview", "Report", "Result", "Table", "line_of_files", "time_and_files"]
