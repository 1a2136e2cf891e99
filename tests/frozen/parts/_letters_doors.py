"""Dead letters of the doors: an agency's own topic, the gateway's check, files."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hub.avro.records import DossierStep
from hub.connect.source import Incoming, Refused
from hub.control.records import Organisation
from hub.deadletter.record import build
from hub.errors import BadRecord
from hub.events.envelope import Envelope
from hub.ingress.json_data import read_data
from hub.ingress.record import Builder
from hub.intake.agency_record import Judge
from hub.sources.role import event_record, refusal_record
from hub.stream.stage import Out
from hub_connectors.filedrop.mapping import load
from hub_connectors.filedrop.open_table import open_table
from hub_connectors.filedrop.rows import Converter
from tests.frozen.inputs import CODE, letters, with_times
from tests.frozen.parts._core import RECORDED, RECORDED_MS, SOURCE, record_of
from tests.frozen.parts._shown import CODEC, IDS, shown

AGENCY = Organisation(name="so-xay-dung", sources=(SOURCE,), agencies=("H11.12",), kafka_topic=True)
NOW = patch("time.time", lambda: RECORDED_MS / 1000)


def _letter(made: Sequence[Any]) -> dict[str, Any]:
    return shown(Out(*made))


def of_intake() -> dict[str, Any]:
    """Records of an agency's own topic, as the agency wrote them: without the headers of the hub."""
    good = record_of(letters.GOOD, "e0", 7)
    own = ("content-type", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject")
    good = good._replace(topic="hub.ingress.so-xay-dung", headers=[pair for pair in good.headers if pair[0] in own])
    assert good.value is not None
    cases: dict[str, tuple[Organisation | None, Any]] = {
        "right, no organisation": (None, good),
        "right, family": (AGENCY.model_copy(update={"families": ("service",)}), good),
        "right, source": (AGENCY.model_copy(update={"sources": ()}), good),
        "right, agency": (AGENCY.model_copy(update={"agencies": ("H11.13",)}), good),
        "code": (AGENCY, record_of(letters.EVENTS["code, dossier"], "e0", 7)),
        "limit, size": (AGENCY, record_of(letters.EVENTS["limit, size"], "e0", 7)),
        "crash": (object(), good),  # type: ignore[dict-item]
    }
    cases |= {name: (AGENCY, good._replace(value=raw)) for name, raw in letters.bytes_of(good.value, IDS).items()}
    cases |= {name: (AGENCY, good._replace(headers=h)) for name, h in letters.headers_of(list(good.headers)).items()}
    cases |= {name: (AGENCY, good._replace(key=key)) for name, key in letters.KEYS.items()}
    judge, found = Judge(CODEC), {}
    logging.disable(logging.ERROR)  # the crash that is meant
    with NOW:
        for name, (organisation, record) in cases.items():
            outcome = judge.outcome(organisation, record)
            assert outcome.refused is not None, name
            found[name] = _letter(outcome.record)
    logging.disable(logging.NOTSET)
    return found


def of_the_gateway() -> dict[str, Any]:
    """Refusals of a posted body. The gateway answers 400 and writes no letter of them; here they are built as one, so
    that each reason has its letter."""
    found = {}
    with NOW:
        for name, body in letters.POSTED.items():
            try:
                read_data("vn.hub.DossierStep", body)
            except BadRecord as error:
                made = build(stage="gateway", error=error, topic="", partition=-1, offset=-1, key=None, value=None)
                found[name] = _letter(made)
    assert found.keys() == letters.POSTED.keys()
    return found


def of_sources() -> dict[str, Any]:
    """Rows and files of file drop, and events that cannot be written."""
    with NOW, tempfile.TemporaryDirectory() as folder:
        found = {name: _letter(refusal_record(own)) for name, own in _refused(Path(folder)).items()}
        envelope = Envelope("e0", SOURCE, "vn.hub.dossier.step", CODE)
        for name, more in (("avro, event", {"step": "?"}), ("limit, event", {"note": "x" * 1_048_000})):
            data = DossierStep(**with_times(letters.GOOD) | more)
            found[name] = _letter(event_record(Incoming(envelope, data), Builder(CODEC, None, RECORDED)))
    return found


def _refused(folder: Path) -> dict[str, Refused]:
    (folder / "mapping.toml").write_text(letters.MAPPING, "utf-8")
    mapping, path, found = load(folder / "mapping.toml"), folder / "x.csv", {}
    for name, row in letters.ROWS.items():
        path.write_bytes((letters.HEAD + row).encode())
        table = open_table(path, mapping.file)
        (made,) = map(Converter(mapping, table.columns, "mot-cua/x.csv").convert, table.rows(table.first))
        table.close()
        assert isinstance(made, Refused), name
        found[name] = made
    for name, raw in letters.FILES.items():
        path.write_bytes(raw)
        try:
            table = open_table(path, mapping.file)
            with contextlib.closing(table):
                Converter(mapping, table.columns, "mot-cua/x.csv")
        except BadRecord as error:
            found[name] = Refused("r0", mapping.source, error.reason, error.detail, raw, "mot-cua/x.csv:0#0123456789ab")
    assert found.keys() == {*letters.ROWS, *letters.FILES}
    return found
