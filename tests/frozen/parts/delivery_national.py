"""A2: the calls to the national portal, whole: each event alone, folded into one delivery, and under other settings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx

from hub.connect.portal import Item
from hub.errors import Rejected, Retryable
from hub_connectors.national_portal.portal import NationalPortal
from hub_connectors.national_portal.settings import NationalPortalSettings
from tests.frozen.inputs import canonical, fixed, wire

ADAPTER = {
    "adapter_url": "http://portal.test/XrdAdapter/RestService/forward/",
    "madonvi": "000.00.00.H11",
    "username": "binhthuan",
}
KNOWN = ("paid at filing", "filed on the national portal")
"""Histories of dossiers that were filed at the portal, which so has them before the first call."""

WHOLE_EACH = ("filed on the national portal",)
"""Histories whose calls are recorded as a whole when each event is delivered alone; of the others a hash a call."""

VARIED = ("every field 7 RETURNED", "filed on the national portal 4 RECEIVED", "put off twice 2 RESCHEDULED")
VARIANTS: dict[str, dict[str, Any]] = {
    "no look-up": {"look_up_first": False, "answer_back": False},
    "no answer back": {"answer_back": False},
    "dstcode as query": {"dstcode_in": "query"},
    "wrapper": {"mode": "wrapper", "adapter_url": "http://lgsp.test"},
    "only the 27 fields": {"later_additions": False},
    "untold fields empty": {"untold": "empty"},
    "by post from the filing": {"by_post_tells": "filing"},
    "filed at": {"filed_at": "3"},
    "own codes": {
        "status_codes": {"RETURNED": "99"},
        "applicant_kinds": {"CITIZEN": "CN"},
        "channels": {"ONLINE": "TT"},
        "payment_codes": {"1": "x"},
        "step_texts": {"RETURNED": "Trả"},
    },
    "own names of fields": {"field_names": {"ChuHoSo": "TenChuHoSo", "CapNhatTienDoHoSoMC.MaHoSo": "SoHoSo"}},
    "short limits": {"limits": {"TrichYeuHoSo": 5, "GhiChu": 4, "ChuHoSo": 6}},
    "one line a call": {"lines_per_call": 1},
    "no line for the result": {"no_line_for": ("RETURNED",)},
}


def outputs() -> dict[str, Any]:
    with fixed.moment():
        return asyncio.run(_outputs())


async def _outputs() -> dict[str, Any]:
    dossiers = {name: items for name, items in canonical.groups().items() if items[0].family == "dossier"}
    out: dict[str, Any] = {f"folded/{name}": await _delivered(name, [items]) for name, items in dossiers.items()}
    for name, items in dossiers.items():
        found = await _delivered(name, [[item] for item in items])
        out[f"each_alone/{name}"] = found if name in WHOLE_EACH else _short(found)
    out["settings"] = {name: await _variant(given) for name, given in VARIANTS.items()}
    out["other_families"] = {
        name: await _verdict([items[0]]) for name, items in canonical.groups().items() if items[0].family != "dossier"
    }
    out["connection"] = await _connection(dossiers["every field"][0])
    return {name.replace(" ", "_"): value for name, value in out.items()}


def _portal(transport: httpx.AsyncBaseTransport, **settings: Any) -> NationalPortal:
    given = NationalPortalSettings.model_validate(ADAPTER | settings)
    return NationalPortal(given, "frozen-password", transport)


async def _delivered(name: str, parts: Sequence[Sequence[Item]]) -> list[dict[str, Any]]:
    """For each delivery: the calls of it after the login, and what the connector says it did."""
    transport = wire.NationalPortal(known=name in KNOWN)
    portal = _portal(transport)
    await portal.open()
    out = []
    try:
        for items in parts:
            before = len(transport.requests)
            answer = await portal.deliver(items)
            calls = [one["body"] for one in wire.bodies(transport.requests[before:]) if "service" in one["body"]]
            out.append({"events": _events(items), "calls": calls, "detail": dict(answer.detail)})
    finally:
        await portal.close()
    return out


def _events(items: Sequence[Item]) -> list[str]:
    return [f"{item.hub_seq} {canonical.word(item)}" for item in items]


def _short(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Service and hash of each call."""
    return [
        one | {"calls": [f"{call['service']} {fixed.sha(json.dumps(call, sort_keys=True))}" for call in one["calls"]]}
        for one in found
    ]


async def _calls(items: Sequence[Item], known: bool = False, **settings: Any) -> list[httpx.Request]:
    transport = wire.NationalPortal(known)
    portal = _portal(transport, **settings)
    await portal.open()
    try:
        await portal.deliver(items)
    finally:
        await portal.close()
    return transport.requests


async def _variant(settings: dict[str, Any]) -> dict[str, Any]:
    """Under other settings: the calls of three events, and what differs in them from those under the usual ones."""
    calls, differs = {}, {}
    for name in VARIED:
        item, known = canonical.every()[name], name.startswith(KNOWN)
        usual = {_service(call): call for call in wire.bodies(await _calls([item], known))}
        found = wire.bodies(await _calls([item], known, **settings))
        calls[name] = ", ".join(map(_service, found))
        for number, call in enumerate(found, 1):
            if changes := fixed.changed(usual.get(_service(call), {}), call):
                differs[f"{name}: {number} {_service(call)}"] = changes
    return {"calls": calls, "differs": differs}


def _service(call: dict[str, Any]) -> str:
    return str(call["body"].get("service", "login"))


async def _verdict(items: Sequence[Item]) -> str:
    try:
        await _calls(items)
    except (Retryable, Rejected) as error:
        return f"{type(error).__name__} ({getattr(error, 'kind', getattr(error, 'reason', ''))}): {error}"
    return "delivered"


async def _connection(item: Item) -> dict[str, Any]:
    """Login, the headers of a call, the probe; strategy, fold and families."""
    login, look_up, *_ = await _calls([item])
    query, *_ = await _calls([item], dstcode_in="query")
    wrapped, *_ = await _calls([item], mode="wrapper", adapter_url="http://lgsp.test")
    transport = wire.NationalPortal()
    portal = _portal(transport)
    await portal.open()
    try:
        await portal.probe()
    finally:
        await portal.close()
    return {
        "login": wire.told(login),
        "look_up": wire.told(look_up),
        "login, dstcode as query": wire.told(query),
        "first call through the wrapper": wire.told(wrapped),
        "probe": wire.bodies(transport.requests),
        "strategy": str(portal.strategy),
        "max_fold": portal.max_fold,
        "families": list(portal.families),
    }
