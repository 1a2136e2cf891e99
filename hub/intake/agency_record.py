"""One record of an agency's own topic: into `hub.ingress`, or a dead letter that says why not."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from hub.avro.bodies import BODIES
from hub.avro.codec import Codec
from hub.control.records import Organisation
from hub.deadletter import record as deadletter
from hub.errors import BadRecord, RegistryError
from hub.events.envelope import Headers, rfc3339
from hub.ingress.cloudevents import of_kafka
from hub.ingress.record import Builder
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
        envelope = of_kafka(headers)
        builder = Builder(self._codec, organisation, rfc3339(datetime.now(UTC)))
        family = builder.family(envelope)
        record = self._codec.read(BODIES[family.published_record], value)
        assert value is not None  # the codec refuses a missing value
        right_key, _, sent = builder.of_avro(envelope, record, value).line
        if key != right_key:
            raise BadRecord("key", f"the record's key must be {family.code}, as {right_key.decode()!r}", "key")
        return INGRESS, key, value, sent
