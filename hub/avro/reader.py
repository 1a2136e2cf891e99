"""Reading what Avro is made of. Plain Python that mypyc also compiles; the functions in `body` call it."""

from __future__ import annotations

from typing import Final, final

from librt.strings import read_f64_le
from mypy_extensions import i64

from hub.errors import DecodeError

_REST_OF_63: Final[i64] = 0x7FFF_FFFF_FFFF_FFFF


@final
class Reader:
    """A place in a value. Every method reads one thing and moves on; DecodeError: truncated, utf8, avro.

    name: of the record, for what an error says.
    """

    __slots__ = ("at", "name", "size", "value")

    def __init__(self, value: bytes, at: i64, name: str) -> None:
        self.value = value
        self.at: i64 = at
        self.size: i64 = len(value)
        self.name = name

    def end(self) -> None:
        """Refuse bytes after the record."""
        if self.at != self.size:
            raise DecodeError("avro", f"{self.size - self.at} bytes stand after the record; the schema id may be wrong")

    def long(self) -> i64:
        at = self.at
        if at >= self.size:
            raise truncated()
        byte: i64 = self.value[at]
        at += 1
        number = byte & 0x7F
        shift: i64 = 7
        while byte >= 0x80:
            if at >= self.size:
                raise truncated()
            byte = self.value[at]
            at += 1
            if shift == 63 and byte > 1:
                raise self.wrong("a number has more than 64 bits")
            number |= (byte & 0x7F) << shift
            shift += 7
        self.at = at
        return ((number >> 1) & _REST_OF_63) ^ -(number & 1)

    def int32(self) -> i64:
        number = self.long()
        if not -0x8000_0000 <= number <= 0x7FFF_FFFF:
            raise self.wrong("an int has more than 32 bits")
        return number

    def symbol(self, symbols: i64) -> i64:
        """The number of an enum's symbol, of so many."""
        number = self.long()
        if not 0 <= number < symbols:
            raise self.wrong(f"an enum has no symbol {number}")
        return number

    def string(self) -> str:
        at = self.at
        if at >= self.size:
            raise truncated()
        length: i64 = self.value[at]
        if length < 0x80 and not length & 1:  # as most are: less than 64 bytes
            at += 1
            length >>= 1
        else:
            length = self.long()
            at = self.at
            if length < 0:
                raise self.wrong("a string has a negative length")
        if length > self.size - at:
            raise truncated()
        self.at = at + length
        try:
            return self.value[at : at + length].decode()
        except UnicodeDecodeError as error:
            raise DecodeError("utf8", f"a string is not UTF-8: {error.reason}; send Unicode as UTF-8") from None

    def boolean(self) -> bool:
        at = self.at
        if at >= self.size:
            raise truncated()
        byte: i64 = self.value[at]
        if byte > 1:
            raise self.wrong("a boolean is neither 0 nor 1")
        self.at = at + 1
        return byte == 1

    def double(self) -> float:
        at = self.at
        if self.size - at < 8:
            raise truncated()
        self.at = at + 8
        return read_f64_le(self.value, at)

    def present(self) -> bool:
        """Which branch a union of null and another type has."""
        at = self.at
        if at >= self.size:
            raise truncated()
        branch: i64 = self.value[at]
        self.at = at + 1
        if branch == 0:
            return False
        if branch != 2:
            raise self.wrong(f"a union has no branch {branch}")
        return True

    def optional_string(self) -> str | None:
        at = self.at
        if at < self.size and self.value[at] == 0:  # as most are
            self.at = at + 1
            return None
        return self.string() if self.present() else None

    def optional_long(self) -> int | None:
        at = self.at
        if at < self.size and self.value[at] == 0:
            self.at = at + 1
            return None
        return self.long() if self.present() else None

    def count(self, least: i64) -> i64:
        """How many items come next, 0 at an array's end; `least`: bytes that an item has at the least.

        Never more than one above what the rest of the value can hold: that one finds the end, so its error is the same.
        """
        count = self.long()
        if count == 0:
            return 0
        if count < 0:  # as Java writes them: the block's size in bytes follows
            self.long()
        limit = (self.size - self.at) // least + 1
        if count < 0:
            return limit if count < -limit else -count
        return limit if count > limit else count

    def strings(self) -> tuple[str, ...]:
        count = self.count(1)
        if count == 0:
            return ()
        found: list[str] = []
        while count != 0:
            for _ in range(count):
                found.append(self.string())
            count = self.count(1)
        return tuple(found)

    def longs(self) -> tuple[int, ...]:
        count = self.count(1)
        if count == 0:
            return ()
        found: list[int] = []
        while count != 0:
            for _ in range(count):
                found.append(self.long())
            count = self.count(1)
        return tuple(found)

    def wrong(self, why: str) -> DecodeError:
        return DecodeError("avro", f"not a record of {self.name}: {why}")


def truncated() -> DecodeError:
    return DecodeError("truncated", "Avro body ends early; send the whole record")
