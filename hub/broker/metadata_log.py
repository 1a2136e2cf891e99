"""Is the node's metadata log whole? Kafka cuts a log at its first bad batch without a word, and with the metadata log
every topic after that place would be gone and its data put aside as stray. So it is read before the node may.

Record batch, as in Kafka's protocol guide (big-endian): base offset int64, length int32 (of what follows), leader
epoch int32, magic int8 (2), CRC-32C uint32 of all that follows the CRC.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from aiokafka.record.util import calc_crc32c

_HEAD = struct.Struct(">qiibI")
_CRC_END = _HEAD.size  # the sum covers what stands behind it
_LENGTH_END = 12
_MIN_BATCH = 61  # a batch without records
_MAX_BATCH = 16 * 1024 * 1024  # Raft appends at most 8 MiB


def damage(folder: Path) -> str:
    """Where a segment of the log in `folder` is damaged, in words; "" if none is.

    An unfinished batch at the very end is no damage: the machine stopped while it was written, and Kafka cuts it off.
    """
    segments = sorted(folder.glob("*.log"))
    for segment in segments:
        if segment.stat().st_size == 0:
            continue
        with segment.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as log:
            good = _end_of_good(log)
            torn_end = segment is segments[-1] and good > 0 and not _batch_after(log, good)
            if good < len(log) and not torn_end:
                return f"{segment.name} holds no valid record batch at byte {good}"
    return ""


def _end_of_good(log: mmap.mmap) -> int:
    at = 0
    while size := _batch_at(log, at):
        at += size
    return at


def _batch_at(log: mmap.mmap, at: int) -> int:
    """Size in bytes of the valid batch that begins there, 0 if none does."""
    if at + _MIN_BATCH > len(log):
        return 0
    _offset, length, _epoch, magic, crc = _HEAD.unpack_from(log, at)
    size = int(length) + _LENGTH_END
    if magic != 2 or not _MIN_BATCH <= size <= _MAX_BATCH or at + size > len(log):
        return 0
    return size if calc_crc32c(log[at + _CRC_END : at + size]) == crc else 0


def _batch_after(log: mmap.mmap, start: int) -> bool:
    """Does a valid batch stand anywhere behind a bad place? Then that place is a hole, not the end."""
    at = log.find(b"\x02", start + 16)
    while at != -1:
        if _batch_at(log, at - 16):
            return True
        at = log.find(b"\x02", at + 1)
    return False
