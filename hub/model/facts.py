"""How a dossier's facts follow from its steps: per field, the last writer in *event time* wins.

A fact left null keeps what is known; nothing un-says a fact. With each field the order key of the step that wrote it
is kept, so a late step fills what is empty and mends what an older one wrote, but never undoes a newer one, and the
facts do not depend on the order of arrival. The applicant's fields count one by one. Attachments and fees are united by
id and code, the newest writer of each item wins; the lists are sorted, results after submitted papers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from hub.errors import BadRecord
from hub.model import step_history

Datum = dict[str, Any]

DOSSIER_FIELDS = (
    "procedure_code", "procedure_name", "field_code", "field_name", "agency_code", "receiving_agency_code",
    "agency_name", "abstract", "channel", "received_at", "due_at", "finished_at", "returned_at", "submitted_at",
    "receipt_number", "filed_at_portal", "return_by_post", "return_note", "remark", "online_payment",
)  # fmt: skip
"""Fields of a step that are facts of the dossier. This order and those below are in stored keys: append only, at the
end of `_ALL`."""

APPLICANT_FIELDS = (
    "name", "kind", "identity_number", "national_account", "address", "email", "phone", "fax", "other",
    "vneid_verified",
)  # fmt: skip

LATER_FIELDS = ("parent_code",)
"""More of DOSSIER_FIELDS, that came after stored keys had been written."""

HOLDER = "holder_agency_code"
"""With it go `holder_since` and `holder_due_at`: the three are of one transfer and have one key."""
_ALL = (HOLDER, *DOSSIER_FIELDS, *(f"applicant.{name}" for name in APPLICANT_FIELDS), *LATER_FIELDS)
_INDEX = {name: number for number, name in enumerate(_ALL)}
RECEIVED_AT, DUE_AT, HOLDER_KEY = _INDEX["received_at"], _INDEX["due_at"], _INDEX[HOLDER]
"""Positions of these dates and of the holder among the keys."""
_PLAIN = tuple((name, _INDEX[name]) for name in (*DOSSIER_FIELDS, *LATER_FIELDS))
_APPLICANT = tuple((name, _INDEX[f"applicant.{name}"]) for name in APPLICANT_FIELDS)
COUNT = len(_ALL)
MAX_ITEMS = 1_000
"""Attachments, or fees, of one dossier."""
_BYTE = 256

NO_KEYS: tuple[int, ...] = (0,) * COUNT


def merge(dossier: Datum, keys: Sequence[int], step: Datum, key: int) -> tuple[Datum, list[int]]:
    """(dossier, keys) with this step's facts; the arguments stay as they are.

    keys: by position in `_ALL`, then one for each attachment and each fee of the dossier, in their order. 0: never.
    BadRecord (`limit`) above MAX_ITEMS.
    """
    out, new = dict(dossier), list(keys[:COUNT])
    for name, index in _PLAIN:
        value = step.get(name)
        if value is not None and key >= new[index]:
            out[name] = value
            new[index] = key
    target = step.get("transferred_to")
    if target is not None and key >= new[0]:
        out[HOLDER] = target
        out["holder_since"] = step_history.key_time(key)
        out["holder_due_at"] = step.get("step_due_at")
        new[0] = key
    applicant = step.get("applicant")
    if applicant is not None:
        _merge_applicant(out, new, applicant, key)
    split = COUNT + len(dossier["attachments"])
    new += _merge_items(out, "attachments", _attachment_id, keys[COUNT:split], step.get("attachments"), key)
    new += _merge_items(out, "fees", _fee_code, keys[split:], step.get("fees"), key)
    return out, new


def _merge_applicant(out: Datum, keys: list[int], applicant: Datum, key: int) -> None:
    merged = dict(out.get("applicant") or {})
    for name, index in _APPLICANT:
        value = applicant.get(name)
        if value is not None and key >= keys[index]:
            merged[name] = value
            keys[index] = key
    out["applicant"] = merged


def _attachment_id(item: Datum) -> tuple[bool, str]:
    """Some sources give a file no id: then its link tells it apart, or its name."""
    return bool(item["result"]), str(item["id"] or item["url"] or item["name"])


def _fee_code(item: Datum) -> str:
    return str(item["code"])


def _merge_items(
    out: Datum, name: str, identity: Any, keys: Sequence[int], given: list[Datum] | None, key: int
) -> Sequence[int]:
    """Keys of the united list, which is put into `out`."""
    if not given:
        return keys
    known = {identity(item): (item, k) for item, k in zip(out[name], keys, strict=True)}
    for item in given:
        old = known.get(identity(item))
        if old is None or key >= old[1]:
            known[identity(item)] = (item, key)
    if len(known) > MAX_ITEMS:
        raise BadRecord("limit", f"{name}: the dossier would have {len(known)}; at most {MAX_ITEMS} are kept", name)
    ordered = sorted(known.items(), key=lambda pair: pair[0])
    out[name] = [item for _, (item, _) in ordered]
    return [k for _, (_, k) in ordered]


def pack_keys(keys: Sequence[int]) -> bytes:
    """Few steps write many fields: a table of the distinct keys, then an index for each, of one byte while that will
    do, else of two."""
    distinct = sorted(set(keys))
    number = {key: n for n, key in enumerate(distinct)}
    indexes = [number[key] for key in keys]
    table = struct.pack(f"<H{len(distinct)}q", len(distinct), *distinct)
    return table + (bytes(indexes) if len(distinct) <= _BYTE else struct.pack(f"<{len(indexes)}H", *indexes))


def pack_split(keys: Sequence[int]) -> tuple[bytes, bytes]:
    """`pack_keys` but for the newest key's own eight bytes, which stand between the two: in its place may stand any
    that is no older."""
    raw = pack_keys(keys)
    end = 2 + 8 * int.from_bytes(raw[:2], "little")
    return raw[: end - 8], raw[end:]


def unpack_all(raw: bytes) -> tuple[int, ...]:
    """What `pack_keys` made."""
    (count,) = struct.unpack_from("<H", raw)
    distinct = struct.unpack_from(f"<{count}q", raw, 2)
    indexes: Sequence[int] = raw[2 + 8 * count :]
    if count > _BYTE:
        indexes = struct.unpack(f"<{len(indexes) // 2}H", indexes)  # type: ignore[arg-type]
    return tuple([distinct[n] for n in indexes])


def unpack_keys(raw: bytes, items: int) -> tuple[int, ...]:
    """The keys of a dossier with so many attachments and fees; fields newer than the record get 0."""
    keys = unpack_all(raw)
    fields = len(keys) - items
    return keys if fields == COUNT else (*keys[:fields], *(0,) * (COUNT - fields), *keys[fields:])
