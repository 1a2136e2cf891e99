"""Logging of a process: text for people or one JSON object a line, to stderr or to a rotated file."""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
from datetime import UTC, datetime
from pathlib import Path

from hub.config import ObserveSettings

FILE_BYTES = 10 * 1024 * 1024
FILE_COUNT = 3


class JsonFormatter(logging.Formatter):
    """`time` (RFC 3339, UTC), `level`, `role`, `logger`, `message`, and `exception` where there is one."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "role": self._role,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class Sparing(logging.Filter):
    """Client libraries repeat themselves some forty times a second while a broker is away: one of a kind in 10 s,
    with the number of those left out."""

    EVERY_S = 10.0

    def __init__(self, *libraries: str) -> None:
        super().__init__()
        self._libraries = libraries
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(self._libraries):
            return True
        kind = (record.name, str(record.msg))
        last, left_out = self._seen.get(kind, (-self.EVERY_S, 0))
        if record.created - last < self.EVERY_S:
            self._seen[kind] = (last, left_out + 1)
            return False
        self._seen[kind] = (record.created, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} more like it)", ()
        return True


def setup(role: str, observe: ObserveSettings, file: Path | None = None) -> None:
    """Configure the root logger once per process. Client libraries speak only from WARNING on."""
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILE_COUNT - 1)
    if observe.log_format == "json":
        handler.setFormatter(JsonFormatter(role))
    else:
        handler.setFormatter(logging.Formatter(f"%(asctime)s %(levelname)-7s {role} %(name)s: %(message)s"))
    handler.addFilter(Sparing("aiokafka"))
    logging.basicConfig(level=observe.log_level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in ("aiokafka", "faust", "mode", "httpx", "httpcore", "uvicorn", "kafka"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(observe.log_level)))
