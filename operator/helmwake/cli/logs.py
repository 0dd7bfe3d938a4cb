"""Log lines on standard error, for people or for machines."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from helmwake.settings.settings import LogFormat, LogLevel

FIELDS = "%(asctime)s %(levelname)s %(name)s %(message)s"


def set_up_logs(level: LogLevel, form: LogFormat) -> None:
    """Send our lines to standard error. Libraries speak from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    if form is LogFormat.JSON:
        handler.setFormatter(
            JsonFormatter(FIELDS, rename_fields={"levelname": "level", "asctime": "time"})
        )
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    # Of a missing kubeconfig the library warns at each attempt, beside the error that we report.
    handler.addFilter(lambda record: "kubernetes" not in record.pathname.split("/"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("helmwake").setLevel(level.upper())
