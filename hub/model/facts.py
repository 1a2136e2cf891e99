"""How a dossier's facts follow from its steps: per field, the last writer in *event time* wins.

A fact left null keeps what is known; nothing un-says a fact. With each field the order key of the step that wrote it
is kept, so a late step fills what is empty and mends what an older one wrote, but never undoes a newer one, and the
facts do not depend on the order of arrival. The applicant's fields count one by one. Attachments and fees are united by
id and code, the newest writer of each item wins; the lists are sorted, results after submitted papers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from hub.avro.records.dossier import Applicant, Attachment, Dossier, DossierStep, Fee
from hub.avro.records.enums import DossierStatus
from hub.errors import BadRecord
from hub.model import step_history

FIELDS: Final = (
    "holder_agency_code",
    "procedure_code", "procedure_name", "field_code", "field_name", "agency_code", "receiving_agency_code",
    "agency_name", "abstract", "channel", "received_at", "due_at", "finished_at", "returned_at", "submitted_at",
    "receipt_number", "filed_at_portal", "return_by_post", "return_note", "remark", "online_payment",
    "applicant.name", "applicant.kind", "applicant.identity_number", "applicant.national_account", "applicant.address",
    "applicant.email", "applicant.phone", "applicant.fax", "applicant.other", "applicant.vneid_verified",
    "parent_code",
)  # fmt: skip
"""The facts of a dossier that have a key. Their order is in stored keys: append only. With the first go `holder_since`
and `holder_due_at`: the three are of one transfer."""
HOLDER: Final = 0
RECEIVED_AT: Final = 10
DUE_AT: Final = 11
_APPLICANT: Final = 21
_PARENT: Final = 31
COUNT: Final = 32
MAX_ITEMS: Final = 1_000
"""Attachments, or fees, of one dossier."""
_BYTE: Final = 256
_TABLES: Final = [struct.Struct(f"<{count}q") for count in range(_BYTE + 1)]
"""Of so many distinct keys."""

NO_KEYS: Final[list[int]] = [0] * COUNT
_NOBODY: Final = Applicant()

T = TypeVar("T")


def merge(
    known: Dossier, keys: Sequence[int], step: DossierStep, key: int, seq: int, status: DossierStatus, since: int
) -> tuple[Dossier, list[int]]:
    """(dossier, keys) with this step's facts, numbered `seq` and with that status; the arguments stay as they are.

    keys: by position in FIELDS, then one for each attachment and each fee of the dossier, in their order. 0: never.
    BadRecord (`limit`) above MAX_ITEMS.
    """
    new = list(keys[:COUNT])
    applicant = known.applicant if step.applicant is None else _applicant(known.applicant, new, step.applicant, key)
    attachments, fees = known.attachments, known.fees
    split = COUNT + len(attachments)
    papers, charges = keys[COUNT:split], keys[split:]
    if step.attachments:
        attachments, papers = _united("attachments", _attachment_id, attachments, papers, step.attachments, key)
    if step.fees:
        fees, charges = _united("fees", _fee_code, fees, charges, step.fees, key)
    holder, held_since, held_until = known.holder_agency_code, known.holder_since, known.holder_due_at
    if step.transferred_to is not None and key >= new[HOLDER]:
        holder, held_since, held_until = step.transferred_to, step_history.key_time(key), step.step_due_at
        new[HOLDER] = key
    dossier = Dossier(
        dossier_code=known.dossier_code,
        hub_seq=seq,
        status=status,
        status_at=since,
        procedure_code=_later(step.procedure_code, known.procedure_code, new, 1, key),
        procedure_name=_later(step.procedure_name, known.procedure_name, new, 2, key),
        field_code=_later(step.field_code, known.field_code, new, 3, key),
        field_name=_later(step.field_name, known.field_name, new, 4, key),
        agency_code=_later(step.agency_code, known.agency_code, new, 5, key),
        receiving_agency_code=_later(step.receiving_agency_code, known.receiving_agency_code, new, 6, key),
        agency_name=_later(step.agency_name, known.agency_name, new, 7, key),
        applicant=applicant,
        abstract=_later(step.abstract, known.abstract, new, 8, key),
        channel=_later(step.channel, known.channel, new, 9, key),
        received_at=_later(step.received_at, known.received_at, new, RECEIVED_AT, key),
        due_at=_later(step.due_at, known.due_at, new, DUE_AT, key),
        finished_at=_later(step.finished_at, known.finished_at, new, 12, key),
        returned_at=_later(step.returned_at, known.returned_at, new, 13, key),
        attachments=attachments,
        fees=fees,
        holder_agency_code=holder,
        submitted_at=_later(step.submitted_at, known.submitted_at, new, 14, key),
        receipt_number=_later(step.receipt_number, known.receipt_number, new, 15, key),
        filed_at_portal=_later(step.filed_at_portal, known.filed_at_portal, new, 16, key),
        return_by_post=_later(step.return_by_post, known.return_by_post, new, 17, key),
        return_note=_later(step.return_note, known.return_note, new, 18, key),
        remark=_later(step.remark, known.remark, new, 19, key),
        online_payment=_later(step.online_payment, known.online_payment, new, 20, key),
        parent_code=_later(step.parent_code, known.parent_code, new, _PARENT, key),
        holder_since=held_since,
        holder_due_at=held_until,
        received_at_derived=known.received_at_derived,
        due_at_derived=known.due_at_derived,
    )
    new += papers
    new += charges
    return dossier, new


def _later(told: T | None, known: T | None, keys: list[int], place: int, key: int) -> T | None:
    """The fact after a step that tells `told`; its key is noted where it counts."""
    if told is None or key < keys[place]:
        return known
    keys[place] = key
    return told


def _applicant(known: Applicant | None, keys: list[int], told: Applicant, key: int) -> Applicant:
    before = _NOBODY if known is None else known
    kind = before.kind
    if key >= keys[_APPLICANT + 1]:  # every applicant has one
        kind, keys[_APPLICANT + 1] = told.kind, key
    return Applicant(
        name=_later(told.name, before.name, keys, _APPLICANT, key),
        kind=kind,
        identity_number=_later(told.identity_number, before.identity_number, keys, _APPLICANT + 2, key),
        national_account=_later(told.national_account, before.national_account, keys, _APPLICANT + 3, key),
        address=_later(told.address, before.address, keys, _APPLICANT + 4, key),
        email=_later(told.email, before.email, keys, _APPLICANT + 5, key),
        phone=_later(told.phone, before.phone, keys, _APPLICANT + 6, key),
        fax=_later(told.fax, before.fax, keys, _APPLICANT + 7, key),
        other=_later(told.other, before.other, keys, _APPLICANT + 8, key),
        vneid_verified=_later(told.vneid_verified, before.vneid_verified, keys, _APPLICANT + 9, key),
    )


# Of an item: what tells it apart, and the order of the list.
Identity = tuple[bool, str]


def _attachment_id(item: Attachment) -> Identity:
    """Some sources give a file no id: then its link tells it apart, or its name."""
    return item.result, str(item.id or item.url or item.name)


def _fee_code(item: Fee) -> Identity:
    return False, item.code


def _united(
    name: str,
    identity: Callable[[T], Identity],
    known: Sequence[T],
    keys: Sequence[int],
    told: Sequence[T],
    key: int,
) -> tuple[tuple[T, ...], list[int]]:
    """(the united list, its keys)."""
    found = {identity(item): (item, own) for item, own in zip(known, keys, strict=True)}
    for item in told:
        own = identity(item)
        old = found.get(own)
        if old is None or key >= old[1]:
            found[own] = (item, key)
    if len(found) > MAX_ITEMS:
        raise BadRecord("limit", f"{name}: the dossier would have {len(found)}; at most {MAX_ITEMS} are kept", name)
    ordered = sorted(found)
    return tuple([found[own][0] for own in ordered]), [found[own][1] for own in ordered]


def pack_keys(keys: Sequence[int]) -> bytes:
    """Few steps write many fields: a table of the distinct keys, then an index for each, of one byte while that will
    do, else of two."""
    distinct = sorted(set(keys))
    count = len(distinct)
    number = dict(zip(distinct, range(count), strict=True))
    indexes = map(number.__getitem__, keys)  # compiled, a loop of ours would make each key anew
    if count > _BYTE:
        return struct.pack(f"<H{count}q{len(keys)}H", count, *distinct, *indexes)
    return count.to_bytes(2, "little") + _TABLES[count].pack(*distinct) + bytes(indexes)


def unpack_all(raw: bytes) -> tuple[int, ...]:
    """What `pack_keys` made."""
    count = raw[0] | raw[1] << 8
    if count <= _BYTE:
        distinct = _TABLES[count].unpack_from(raw, 2)
        return tuple(map(distinct.__getitem__, raw[2 + 8 * count :]))
    distinct = struct.unpack_from(f"<{count}q", raw, 2)
    return tuple([distinct[n] for (n,) in struct.iter_unpack("<H", raw[2 + 8 * count :])])


def unpack_keys(raw: bytes, items: int) -> list[int]:
    """The keys of a dossier with so many attachments and fees; fields newer than the record get 0."""
    keys = list(unpack_all(raw))
    fields = len(keys) - items
    return keys if fields == COUNT else [*keys[:fields], *([0] * (COUNT - fields)), *keys[fields:]]
