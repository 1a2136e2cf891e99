"""The source `national-catalogue`: one round pulls the whole lists, and what changed since the last becomes events.

Entries that did not change give no event. A round that fails anywhere (HTML page, dead session, cut list) withdraws
nothing; what it had read before stays read, and the next try goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager

from msgspec import structs

from hub.avro.records import ProcedureForm
from hub.config import Settings
from hub.connect.file_links import Links
from hub.connect.portal import with_open_secrets
from hub.connect.source import Batch
from hub.control.directory import directory
from hub.control.records import Subscriber
from hub.control.vault import vault
from hub.errors import BadRecord, ConfigError, Retryable
from hub.machine.durable_files import write_durably
from hub.model import codes
from hub.observe.metrics import LINK_LAST_ERROR, LINK_LAST_SUCCESS, LINK_UP
from hub_connectors.national_portal.catalogue import cursor as cursors
from hub_connectors.national_portal.catalogue import mapping
from hub_connectors.national_portal.catalogue.changes import Changes, by_code, check_whole
from hub_connectors.national_portal.catalogue.cursor import Entry, digest
from hub_connectors.national_portal.catalogue.pull import CatalogueClient, connected
from hub_connectors.national_portal.catalogue.settings import NAME, CatalogueSettings
from hub_connectors.national_portal.catalogue.values import Row

log = logging.getLogger(__name__)

KIND = "national-portal"
Connect = Callable[[], AbstractAsyncContextManager[CatalogueClient]]


class NationalCatalogue:
    """`connect` replaces the subscriber's connection in tests; `now` gives epoch seconds."""

    name = NAME

    def __init__(
        self,
        settings: Settings,
        own: CatalogueSettings,
        connect: Connect | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._own, self._now = settings, own, now
        self._connect = connect or self._by_subscriber
        self._folder = settings.data_dir / "sources" / NAME
        self._source = settings.reconcile.reference_source
        self._cursor = cursors.Cursor()

    async def batches(self, stop: asyncio.Event) -> AsyncGenerator[Batch, None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._cursor = cursors.read(self._folder)
        while not stop.is_set():
            wait = self._own.poll_s
            try:
                async with self._connect() as client, contextlib.aclosing(self._round(client, stop)) as found:
                    async for batch in found:
                        yield batch
            except (Retryable, ConfigError) as error:
                await self._failed(error)
                wait = max(self._own.retry_s, getattr(error, "retry_after", None) or 0.0)
            else:
                LINK_UP.labels(NAME).set(1)
                LINK_LAST_SUCCESS.labels(NAME).set(time.time())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await stop.wait()

    async def confirmed(self, batch: Batch) -> None:
        self._cursor.take(batch.cursor["change"])
        await asyncio.to_thread(cursors.write, self._folder, self._cursor)

    async def close(self) -> None:
        """Nothing is held between rounds."""

    async def _failed(self, error: Retryable | ConfigError) -> None:
        """What the round yielded is confirmed, so the next try may have a moment of its own."""
        self._cursor.round_at = 0
        await asyncio.to_thread(cursors.write, self._folder, self._cursor)
        log.error("the national catalogue was not read to its end, tried again later: %s", error)
        LINK_UP.labels(NAME).set(0)
        LINK_LAST_ERROR.labels(NAME, getattr(error, "kind", "setting")).set(time.time())

    @contextlib.asynccontextmanager
    async def _by_subscriber(self) -> AsyncIterator[CatalogueClient]:
        async with directory(self._settings) as copy:
            subscriber = _chosen(copy.subscribers, self._own.subscriber)
        async with connected(with_open_secrets(subscriber, vault(self._settings))) as client:
            yield client

    async def _round(self, client: CatalogueClient, stop: asyncio.Event) -> AsyncGenerator[Batch, None]:
        """The lists first, whole; then entry by entry; what is gone last."""
        at = await self._begin()
        agencies = await self._references(client)
        rows, repeated = by_code(await client.whole("LayDanhSachTTHC"), "MATTHC")
        known = self._cursor.procedures
        missing = check_whole("LayDanhSachTTHC", known, rows, self._own.max_missing)
        changes, without = Changes(self._source, at), 0
        for code, row in rows.items():
            if stop.is_set():
                return
            digested = digest(row)
            if self._as_before(known.get(code), digested, at):
                continue
            without += not await self._procedure(client, changes, code, row, agencies, known.get(code))
            if changes.looked >= self._own.batch:
                yield changes.batch(at)
                changes = Changes(self._source, at)
        for code in missing:
            changes.gone("procedures", code, known[code])
        yield changes.batch(at)
        changes = Changes(self._source, at)
        await self._services(client, changes)
        yield changes.batch(0)
        log.info(
            "the national catalogue: %d procedures listed, %d repeated, %d gone, %d without detail now",
            len(rows), repeated, len(missing), without,
        )  # fmt: skip

    async def _begin(self) -> int:
        """The moment of the round, on disk before the first event of it can be sent. Never before an earlier round's,
        whatever the clock says: the core would take what changed for late, and keep the older state."""
        if not self._cursor.round_at:
            self._cursor.round_at = max(int(self._now() * 1000), self._cursor.newest + 1)
            await asyncio.to_thread(cursors.write, self._folder, self._cursor)
        return self._cursor.round_at

    def _as_before(self, known: Entry | None, row: str, at: int) -> bool:
        fresh = at - self._own.detail_every_s * 1000
        return known is not None and not known.refused and known.row == row and known.detail_at > fresh

    async def _procedure(
        self, client: CatalogueClient, changes: Changes, code: str, row: Row, agencies: set[str], known: Entry | None
    ) -> bool:
        """False: listed, but without detail (or a form of it) now; it stays as it was until the next round."""
        detail: Row = row
        try:
            mapping.procedure_code(row)
            found = await client.procedure(code)
            if found is None:
                return False
            detail = {**row, **found}
            told, public = mapping.procedure(detail, changes.at, self._own)
            _check_agency(told.agency_code, agencies)
            forms = await self._hashed(client, told.forms or ())
            if forms is None:
                return False
            if told.procedure_code != code:
                raise BadRecord("code", f"LayThuTuc of {code} answered with {told.procedure_code}", "MATTHC")
            changes.seen("procedures", structs.replace(told, forms=forms), public, digest(row), known)
        except BadRecord as error:
            changes.refuse("procedures", code, detail, error, known)
        return True

    async def _hashed(
        self, client: CatalogueClient, forms: Iterable[ProcedureForm]
    ) -> tuple[ProcedureForm, ...] | None:
        """The forms, those that may be fetched with `sha256`; None if one cannot be had now, though it may exist."""
        links = Links(client.http, self._own.form_hosts, self._own.form_timeout_s)
        found: list[ProcedureForm] = []
        for form in forms:
            if form.url is not None and links.allowed(form.url):
                sha256, final = await links.sha256(form.url, self._own.form_max_bytes)
                if not final:
                    return None
                form = structs.replace(form, sha256=sha256)
            found.append(form)
        return tuple(found)

    async def _services(self, client: CatalogueClient, changes: Changes) -> None:
        """LayDVC. A service that is gone from it is withdrawn only where the national portal is the single window:
        of another portal's offers its list tells nothing."""
        known = self._cursor.services
        listed = await client.whole("LayDVC", share=False)
        if not listed and not known:
            return
        rows, _ = by_code(listed, "MADVC")
        missing = check_whole("LayDVC", known, rows, self._own.max_missing)
        for code, row in rows.items():
            try:
                changes.seen(
                    "services", mapping.service(row, changes.at, self._own), True, digest(row), known.get(code)
                )
            except BadRecord as error:
                changes.refuse("services", code, row, error, known.get(code))
        if self._settings.profile == "single-window":
            for code in missing:
                changes.gone("services", code, known[code])

    async def _references(self, client: CatalogueClient) -> set[str]:
        """Pulls the short catalogues into files beside the cursor; the agency codes among them, in the new form."""
        agencies: set[str] = set()
        for service in self._own.references:
            rows = await client.whole(service)
            if not rows:
                log.warning("%s is empty; the copy from before is kept", service)
                continue
            content = json.dumps(rows, ensure_ascii=False, indent=1).encode()
            await asyncio.to_thread(write_durably, self._folder / f"{service}.json", content)
            if service == "LayDanhMucCoQuan" and self._own.check_agencies:
                agencies = _agency_codes(rows)
        return agencies


def _chosen(subscribers: dict[str, Subscriber], name: str) -> Subscriber:
    """The subscriber whose connection is used. ConfigError: there is none, or more than one and none is named."""
    found = [one for one in subscribers.values() if one.kind == KIND and name in ("", one.name)]
    if len(found) != 1:
        names = ", ".join(sorted(one.name for one in found)) or "none"
        raise ConfigError(f"sources.{NAME}.subscriber", f"must name a subscriber of kind {KIND}; there are: {names}")
    return found[0]


def _agency_codes(rows: list[Row]) -> set[str]:
    out: set[str] = set()
    for row in rows:
        with contextlib.suppress(BadRecord):
            out.add(codes.agency(str(row.get("MADONVI") or "")).normal)
    return out


def _check_agency(code: str | None, known: set[str]) -> None:
    if code and known and code not in known:
        raise BadRecord("code", f"MACOQUANCONGBO: {code} stands in no LayDanhMucCoQuan", "MACOQUANCONGBO")
