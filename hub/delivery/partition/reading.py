"""How far a partition is read, and whether anything of it is sent yet: its phases, from the takeover to the end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from hub.delivery.partition.offsets import PartitionOffsets
from hub.events.families import BY_STATE_TOPIC
from hub.kafka.topics import EVENTS, REQUESTS


class Phase(StrEnum):
    """READING: nothing is sent yet; the window of an earlier process, or the state, is read first.
    SENDING: deliveries are handed out. CLOSED: no more of them, the partition goes away.
    """

    READING = "reading"
    SENDING = "sending"
    CLOSED = "closed"


class Reading:
    """From READING it goes on by `begun`, `caught_up` or `state_read`, each of which tells if it did; CLOSED is the
    end."""

    def __init__(self, offsets: PartitionOffsets) -> None:
        self._offsets = offsets
        self._phase = Phase.READING
        self._until: int | None = None
        self._targets: Mapping[str, int] = {}

    @property
    def sends(self) -> bool:
        return self._phase is Phase.SENDING

    @property
    def state_topics(self) -> tuple[str, ...]:
        """Those whose state is being sent; the log and the orders wait."""
        return tuple(self._targets)

    def catch_up(self, until: int) -> None:
        """Before the first call, hub.events is read up to here: an earlier process can have sent what it had read."""
        self._until = until

    def send_state(self, targets: Mapping[str, int]) -> None:
        """The state is sent first, up to these ends."""
        self._targets = dict(targets)

    def begun(self) -> bool:
        """The first commit is made: opens, unless there is something to be read first."""
        return self._until is None and not self._targets and self._open()

    def close(self) -> None:
        """Nothing is handed out any more."""
        self._phase = Phase.CLOSED

    @property
    def catching_up(self) -> bool:
        return self._until is not None

    def caught_up(self) -> bool:
        """Opens when everything was read that an earlier process can have sent."""
        return self._until is not None and self._offsets.position(EVENTS) >= self._until and self._open()

    def state_read(self, positions: Mapping[str, int]) -> bool:
        """Opens when the state is read to its end, or as far as memory allows; `positions`: where the consumer stands.

        Until then nothing of it is sent, since a later record may hold a newer state of the same dossier.
        """
        if self._phase is not Phase.READING or not self._targets:
            return False
        read = [self._offsets.full(t) or positions[t] >= end for t, end in self._targets.items()]
        return all(read) and self._open()

    def state_settled(self, positions: Mapping[str, int]) -> bool:
        """All state is read and settled. By position: a compacted topic's tail may have offsets without records."""
        return bool(self._targets) and all(
            self._offsets.idle(topic) and positions[topic] >= end for topic, end in self._targets.items()
        )

    def follow_log(self) -> tuple[str, ...]:
        """The state is over; its topics."""
        topics, self._targets = self.state_topics, {}
        return topics

    def limit(self, topic: str) -> int | None:
        """Not to be read beyond this: while catching up, more than is usually read ahead, and no further, so that the
        next process need not look further either."""
        return self._until if topic == EVENTS else None

    def reads(self, topic: str) -> bool:
        """Whether this topic is to be read on now. While catching up, orders wait: an older event that is asked for
        again would part what an earlier process sent together, and the first part has an older state."""
        if bool(self._targets) != (topic in BY_STATE_TOPIC) or (topic == REQUESTS and self.catching_up):
            return False
        limit = self.limit(topic)
        return not self._offsets.full(topic) if limit is None else self._offsets.position(topic) < limit

    def _open(self) -> bool:
        """False: it is open already, or closed for good."""
        opened = self._phase is Phase.READING
        if opened:
            self._phase, self._until = Phase.SENDING, None
        return opened
