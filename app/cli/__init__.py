"""The command line: `ldn-evidence --help`."""

from app.cli import data, service
from app.cli.terminal import app

__all__ = ["app", "data", "service"]
