"""One record of an agency's own topic: into `hub.ingress`, or a dead letter that says why not."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from hub.avro.codec import Codec
from hub.control.records import Organisation
from hub.deadletter import record as deadletter
from hub.errors import BadRecord, RegistryError
from hub.events.envelope import Headers, read_headers, rfc3339
from hub.ingress.admission import admit, family_of, refuse_oversize
from hub.ingress.cloudevents import traceparent
from hub.kafka.topics import INGRESS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """record: (topic, key, value, headers) to send. refused: why it is a dead letter; None for one that is taken."""

    record: tuple[str, bytes | None, bytes | None, Headers]
    refused: BadRecord | None = None


class Judge:
    """Checks that need no other record. Raises only RegistryError: the schema cannot be looked up now."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def outcome(self, organisation: Organisation | None, source: ConsumerRecord) -> Outcome:
        """organisation: whose topic it is; None if it has none any more."""
        try:
            return Outcome(self.ingress(organisation, source.key, source.value, source.headers))
        except BadRecord as error:
            refused = error
        except RegistryError:
            raise
        except Exception as error:
            # One record never stops the province, not even by a fault of this program.
            log.exception("record %s/%d@%d crashed the check", source.topic, source.partition, source.offset)
            refused = BadRecord("crash", f"the check ended with {type(error).__name__}; see the intake's log")
        return Outcome(deadletter.of_record(source, "intake", refused), refused)

    def ingress(
        self, organisation: Organisation | None, key: bytes | None, value: bytes | None, headers: Headers
    ) -> tuple[str, bytes, bytes, Headers]:
        """The record for hub.ingress. BadRecord, with the reason, for one that must not get there."""
        if organisation is None:
            raise BadRecord("right", "this topic belongs to no organisation with the right to one", "topic")
        envelope = read_headers(headers)
        family = family_of(organisation, envelope)
        _, datum = self._codec.decode(value, family.published_record)
        trace = traceparent(envelope.traceparent)
        admitted = admit(organisation, family, envelope, datum, rfc3339(datetime.now(UTC)), trace)
        if key != admitted.subject.encode():
            raise BadRecord("key", f"the record's key must be {family.code}, as {admitted.subject!r}", "key")
        assert value is not None  # the codec refuses a missing value
        sent = admitted.headers()
        refuse_oversize(key, value, sent)
        return INGRESS, key, value, sent
