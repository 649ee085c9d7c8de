"""Logging: one line an event on standard error, an event name and its values, nobody's name.

LOGS-1  The message is a static event name; what varies stands in `extra`, so that lines can be counted and searched.
LOGS-2  A value wrapped in `Pii` is never written out: neither by our formatters nor by a careless f-string.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

_ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Pii(Generic[Value]):
    """Something about a person. It prints as `‹hidden›`; `reveal` is for those who may know."""

    __slots__ = ("_value",)

    def __init__(self, value: Value) -> None:
        self._value = value

    def reveal(self) -> Value:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "‹hidden›"


class LineFormatter(logging.Formatter):
    """`09:12:00.123 recorder I segment sealed visit=Vb3k bytes=1234`, for people."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        """One event, one line; a traceback follows on lines of its own."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[11:23]
        values = "".join(f" {name}={value!s}" for name, value in _values(record).items())
        line = f"{at} {self._part:<9} {record.levelname[0]} {record.getMessage()}{values}"
        return line if record.exc_info is None else f"{line}\n{self.formatException(record.exc_info)}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for machines."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        """The event's values stand beside `at`, `part`, `level`, `logger` and `event`."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "part": self._part,
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in _values(record).items() if name not in line}
        if record.exc_info is not None:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def setup(part: str, level: str = "info", as_json: bool = False) -> None:
    """Send this process's logs to standard error under `part`, the name of the process. Idempotent."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(part) if as_json else LineFormatter(part))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # These log what peers sent, addresses included, below warning.
    quiet = ("aiohttp.access", "aioice", "aiortc", "socketio", "engineio", "botocore", "boto3")
    for name in (*quiet, "aiosqlite", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _values(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _ORDINARY}
