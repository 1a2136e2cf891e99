"""What goes between the role and the child process that reads one file: a task in, messages with rows out.

Each message is four bytes of length and msgpack, decoded strictly by these types: whatever a damaged file made of the
child, the role gets text, numbers and bytes within bounds, or it ends the child.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from hub.errors import BadRecord
from hub_connectors.filedrop.limits import Limits
from hub_connectors.filedrop.table import ROW_LIMIT, Place, Row, as_text

HEAD = struct.Struct("<I")
MOST_BYTES = 16 * ROW_LIMIT
"""Of one message: a row is ROW_LIMIT bytes at most, as bytes and as cells, and a message ends soon after ROW_LIMIT."""
MOST_ROWS = 100

Detail = Annotated[str, msgspec.Meta(max_length=100_000)]
Reason = Literal["encoding", "row", "missing_field", "limit"]


class FormTold(msgspec.Struct, frozen=True):
    """The mapping's `[file]`, as a table needs it."""

    format: str
    encoding: str
    delimiter: str
    quote: str
    skip_rows: int
    header_rows: int
    sheet: str


class Task(msgspec.Struct, frozen=True):
    """at: where to go on; None: behind the header."""

    form: FormTold
    limits: Limits
    at: Place | None


class Moment(msgspec.Struct, frozen=True, tag=True):
    """A date cell of a sheet, in ISO form: a day, or a day with its time."""

    text: Annotated[str, msgspec.Meta(max_length=40)]


class RowTold(msgspec.Struct, frozen=True, array_like=True):
    line: int
    cells: list[str | Moment]
    raw: Annotated[bytes, msgspec.Meta(max_length=ROW_LIMIT)]
    after: Place
    reason: Reason | None = None
    detail: Detail = ""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The child has laid its limits on itself and not read a byte yet: what goes wrong before is not the file's."""


class Header(msgspec.Struct, frozen=True, tag=True):
    """The first message of a file that can be read, after Ready."""

    columns: list[str]


class Rows(msgspec.Struct, frozen=True, tag=True):
    rows: Annotated[list[RowTold], msgspec.Meta(max_length=MOST_ROWS)]


class Whole(msgspec.Struct, frozen=True, tag=True):
    """The file ends here: with its last row (no reason), or because it is refused."""

    reason: Reason | None = None
    detail: Detail = ""


Message = Ready | Header | Rows | Whole
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def framed(message: Message) -> bytes:
    """The message as it goes through the pipe."""
    body = msgspec.msgpack.encode(message)
    return HEAD.pack(len(body)) + body


def decoded(body: bytes) -> Message:
    """ValueError (msgspec's are) when the bytes are no message."""
    return _decoder.decode(body)


def told(row: Row) -> RowTold:
    """A row as a message; what a sheet's cell holds beside dates is told as text."""
    cells = [Moment(cell.isoformat()) if isinstance(cell, date) else _utf8(as_text(cell)) for cell in row.cells]
    fault = row.error
    if fault is None:
        return RowTold(row.line, cells, row.raw, row.after)
    return RowTold(row.line, cells, row.raw, row.after, reason(fault), _utf8(fault.detail)[:100_000])


def row_of(message: RowTold) -> Row:
    """ValueError when a moment is none."""
    fault = BadRecord(message.reason, message.detail) if message.reason else None
    cells: Sequence[object] = [_moment(cell.text) if isinstance(cell, Moment) else cell for cell in message.cells]
    return Row(message.line, cells, message.raw, message.after, fault)


def reason(fault: BadRecord) -> Reason:
    """The fault's reason as one that may be told."""
    found: Reason = msgspec.convert(fault.reason, Reason)
    return found


def _moment(text: str) -> date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _utf8(text: str) -> str:
    """Without halves of surrogate pairs, which no encoding can write."""
    return text.encode(errors="replace").decode()
