"""The record of an event that a source found, as the type that the test expects."""

from __future__ import annotations

from hub.avro.records import DossierStep, ProcedureChange, ServiceChange
from hub.connect.source import Incoming


def step_of(event: Incoming) -> DossierStep:
    assert isinstance(event.data, DossierStep), event
    return event.data


def procedure_of(event: Incoming) -> ProcedureChange:
    assert isinstance(event.data, ProcedureChange), event
    return event.data


def catalogue_change_of(event: Incoming) -> ProcedureChange | ServiceChange:
    assert isinstance(event.data, ProcedureChange | ServiceChange), event
    return event.data
