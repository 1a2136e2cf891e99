"""The core's local copy of the catalogue, and what reads it: was this service offered online? When does the
procedure's time limit end?

A step sees only its own partition's state; a dossier and its procedure mostly lie in two. The copy may be behind by
its age (metric `hub_catalogue_copy_age_seconds`): a service published less than that ago may still refuse a dossier,
which is then replayed from the dead letters.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from hub.avro import bodies
from hub.avro.codec import Codec
from hub.avro.records.dossier import DossierStep
from hub.config import Settings
from hub.errors import BadRecord
from hub.events.families import PROCEDURE, SERVICE
from hub.kafka.compacted_copy import Follower, following
from hub.model.catalogue import time_limits
from hub.model.deadline_rules import rules as deadline_rules
from hub.model.deadlines import Rules, limit_end
from hub.model.online_services import Offer, Standing, refusal
from hub.observe.health import HEALTH
from hub.observe.metrics import CATALOGUE_COPY_AGE_SECONDS

log = logging.getLogger(__name__)


class CatalogueCopy:
    """Standing of each procedure, offers of each service. Lives in one event loop; a step reads it between writes.

    rules: time limits are kept as well, and counted by these."""

    def __init__(self, codec: Codec, strict: bool, rules: Rules | None = None) -> None:
        self._codec, self._strict, self._rules = codec, strict, rules
        self._limits: dict[str, tuple[tuple[float, str], ...]] = {}
        self._procedures: dict[str, Standing] = {}
        self._services: dict[str, dict[str, Offer]] = {}
        self._procedure_of: dict[str, str] = {}

    def apply(self, topic: str, key: bytes, value: bytes | None) -> None:
        """A record of hub.procedures or hub.services. One that cannot be read is logged; the entry stays as it was."""
        code = key.decode(errors="replace")
        try:
            if topic == PROCEDURE.state_topic:
                self._procedure(code, value)
            else:
                self._service(code, value)
        except BadRecord as error:
            log.error("%s of %s is not usable and was left out: %s", code, topic, error)

    def admit(self, step: DossierStep) -> None:
        """A dossier's first step. BadRecord (`not_offered`): filed online for what is not offered online."""
        if step.channel != "ONLINE":
            return
        code, at = step.procedure_code, step.submitted_at or step.occurred_at
        offers = self._services.get(code or "", {}).values()
        if reason := refusal(self._procedures.get(code or ""), offers, at, self._strict):
            raise BadRecord(
                "not_offered",
                f"procedure_code: {code} was filed online, but {reason}; mend catalogue or channel, then replay",
                "procedure_code",
            )

    def due_at(self, procedure: str, received_at: int) -> int | None:
        """When the longest of the procedure's time limits ends; None if none is known that can be counted."""
        if self._rules is None:
            return None
        ends = [limit_end(self._rules, received_at, *limit) for limit in self._limits.get(procedure, ())]
        return max((end for end in ends if end is not None), default=None)

    def __len__(self) -> int:
        return len(self._procedure_of)

    def _procedure(self, code: str, value: bytes | None) -> None:
        if value is None:
            self._procedures.pop(code, None)
            self._limits.pop(code, None)
            return
        procedure = self._codec.read(bodies.PROCEDURE, value)
        self._procedures[code] = Standing(procedure.active, procedure.active_since)
        if self._rules is not None:
            ways = [(way.time_limit, way.time_limit_unit) for way in procedure.time_limits or ()]
            self._limits[code] = time_limits((procedure.time_limit, procedure.time_limit_unit), *ways)

    def _service(self, code: str, value: bytes | None) -> None:
        service = self._codec.read(bodies.ONLINE_SERVICE, value) if value is not None else None
        if (before := self._procedure_of.pop(code, None)) is not None:
            self._services[before].pop(code, None)
        if service is not None:
            procedure = service.procedure_code or code.rpartition(".")[0]
            self._procedure_of[code] = procedure
            self._services.setdefault(procedure, {})[code] = Offer(
                service.active, service.active_since, service.level, service.whole_process
            )


@contextlib.asynccontextmanager
async def catalogue_copy(settings: Settings, codec: Codec) -> AsyncIterator[tuple[CatalogueCopy, Follower]]:
    """A loaded copy and its follower, whose `follow` keeps it so."""
    rules = deadline_rules(settings.deadlines) if settings.deadlines.derive_due_at else None
    copy = CatalogueCopy(codec, settings.core.online_services == "strict", rules)
    async with following(settings, (PROCEDURE.state_topic, SERVICE.state_topic), copy.apply) as follower:
        CATALOGUE_COPY_AGE_SECONDS.set_function(lambda: follower.age_s)
        HEALTH.ready["catalogue"] = lambda: (True, f"{len(copy)} online services known, {follower.age_s:.0f} s old")
        yield copy, follower


async def beside(work: asyncio.Task[None], follower: Follower) -> None:
    """Waits for `work` while the copy follows; raises what ends either of them."""
    ended = asyncio.Event()
    copying = asyncio.create_task(follower.follow(ended))
    try:
        await asyncio.wait([work, copying], return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            await copying
            raise RuntimeError("following the catalogue ended")
        await work
    finally:
        ended.set()
        work.cancel()
        copying.cancel()
        await asyncio.gather(work, copying, return_exceptions=True)
