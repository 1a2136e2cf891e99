"""Slices 2 and 3 of the generated province: procedures and online services, from what was sent and from the national
portal's own list. Imports nothing from the hub but its sibling checkers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hub.demo.checker.result import JsonObject, Slice, rows
from hub.demo.checker.sent import Change, Sent, Step, millis, standing

Json = Mapping[str, Any]
Difference = tuple[str, str]
"""(code, kind), kinds as `hub catalogue compare` names them."""

FILING_LEVEL = 3
REASON = "not_offered"


def national_entry(national: Json, code: str) -> tuple[JsonObject, bool] | None:
    """(facts by the hub's names, whether it is public) of the national list; None if it is not there."""
    if not any(row["MATTHC"] == code for row in national["LayDanhSachTTHC"]):
        return None
    row = national["LayThuTuc"][code]
    time = row["CACHTHUCTHUCHIEN"][0]["THOIGIAN"][0]
    facts = {
        "name": row["TENTTHC"],
        "authority_level": row["CAPTHUCHIEN"][0]["TENCAP"],
        "field_code": row["LINHVUCTHUCHIEN"][0]["MALINHVUC"],
        "time_limit": float(time["THOIGIANGIAIQUYET"]),
        "time_limit_unit": time["DONVITINH"],
        "fee_vnd": int(time["PHILEPHI"][0]["SOTIEN"]),
    }
    return facts, row["TRANGTHAI"] == "1"


def codes_of(sent: Sent, national: Json) -> list[str]:
    return sorted({*sent.procedures, *(row["MATTHC"] for row in national["LayDanhSachTTHC"])})


def differences(sent: Sent, national: Json) -> set[Difference]:
    """What the national list says otherwise than the province."""
    out: set[Difference] = set()
    for code in codes_of(sent, national):
        theirs, ours = national_entry(national, code), _own(sent, code)
        here, there = bool(ours and ours[1]), bool(theirs and theirs[1])
        if there and not here:
            out.add((code, "NOT_PUBLISHED"))
        elif here and not there:
            out.add((code, "NOT_IN_REFERENCE" if theirs is None else "WITHDRAWN_STILL_PUBLISHED"))
        elif here and there:
            assert ours is not None
            assert theirs is not None
            out |= {(code, kind) for kind in _facts(ours[0], theirs[0])}
    for code, changes in sent.services.items():
        theirs = national_entry(national, _procedure(changes, code))
        if standing(changes)[1] and theirs is not None and not theirs[1]:
            out.add((code, "WITHDRAWN_STILL_OFFERED"))
    return out


def _own(sent: Sent, code: str) -> tuple[JsonObject, bool] | None:
    found = sent.procedures.get(code)
    return standing(found)[:2] if found else None


def _facts(ours: Json, theirs: Json) -> Iterable[str]:
    for kind, names in (
        ("OTHER_NAME", ("name",)),
        ("OTHER_AUTHORITY_LEVEL", ("authority_level",)),
        ("OTHER_FIELD", ("field_code",)),
        ("OTHER_TIME_LIMIT", ("time_limit", "time_limit_unit")),
        ("OTHER_FEE", ("fee_vnd",)),
    ):
        if any(name in ours and ours[name] != theirs[name] for name in names):
            yield kind


def check_procedures(
    sent: Sent, national: Json, planted: set[Difference], compared: Json, answers: Mapping[str, Json], reference: str,
    provincial: Path,
) -> Slice:  # fmt: skip
    """compared: what `hub catalogue compare --json` said. answers: code -> the read API's. reference: source of the
    national list. provincial: that portal's database."""
    found = Slice()
    due = differences(sent, national)
    found.same("differences planted in the national list", sorted(planted), sorted(due))
    shown = {(one["code"], one["kind"]) for one in compared["differences"]}
    for code, kind in sorted(due - shown):
        found.wrong.append(f"{code}: the difference {kind} is not told")
    for code, kind in sorted(shown - due):
        found.wrong.append(f"{code}: the difference {kind} is told and is none")
    for code in codes_of(sent, national):
        _check_state(found, code, sent, national, answers.get(code), reference)
    listed = {code: "PUBLISHED" if entry[1] else "WITHDRAWN" for code in codes_of(sent, national)
              if (entry := national_entry(national, code))}  # fmt: skip
    _check_provincial(found, provincial, "procedure", sent.procedures, listed)
    changes = Counter(change.change for entries in sent.procedures.values() for change in entries)
    found.figures = {
        "procedures": len(sent.procedures),
        "changes": dict(sorted(changes.items())),
        "national_list": len(national["LayDanhSachTTHC"]),
        "differences": dict(sorted(Counter(kind for _, kind in shown).items())),
    }
    told = ", ".join(f"{number} {change.lower()}" for change, number in sorted(changes.items(), reverse=True))
    kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(Counter(kind for _, kind in shown).items()))
    found.shown = f"{told}; {len(national['LayDanhSachTTHC'])} in the national list: {kinds}"
    return found


def _check_provincial(
    found: Slice, database: Path, family: str, sent: Mapping[str, list[Change]], listed: Mapping[str, str]
) -> None:
    """The portal got each change, in order; listed: the one that came of the national list, after them."""
    shown: dict[str, list[str]] = {}
    for row in rows(database, f"SELECT key, body FROM events WHERE type = 'vn.hub.{family}.event' ORDER BY arrival"):
        shown.setdefault(row["key"], []).append(json.loads(row["body"])["data"]["change"]["change"])
    for code in sorted({*sent, *listed}):
        due = [change.change for change in sorted(sent.get(code, []), key=lambda one: one.at)]
        due += [listed[code]] if code in listed else []
        found.same(f"{code} at the provincial portal", due, shown.get(code, []))


def _check_state(
    found: Slice, code: str, sent: Sent, national: Json, answer: Json | None, reference: str
) -> None:  # fmt: skip
    """The read model has the later statement of the two: the national list was read last."""
    if answer is None or not answer.get("state"):
        found.wrong.append(f"{code}: the read API does not know the procedure")
        return
    own, theirs = _own(sent, code), national_entry(national, code)
    facts, active = (own[0] if own else {}), bool(own and own[1])
    if theirs is not None:
        facts, active = {**facts, **theirs[0]}, theirs[1]
    found.same(f"{code} in the read API, active", active, answer["state"]["active"])
    for name in ("name", "time_limit", "time_limit_unit", "fee_vnd"):
        found.same(f"{code} in the read API, {name}", facts.get(name), answer["state"].get(name))
    due = [change.change for change in sorted(sent.procedures.get(code, []), key=lambda one: one.at)]
    events = sorted(answer["events"], key=lambda event: event["occurred_at"])
    found.same(f"{code}, its changes", due, [e["step"] for e in events if e["source"] != reference])


# --- online services ---------------------------------------------------------------------------------------------


def check_services(
    sent: Sent, national: Json, coverage: Json, dead: Mapping[str, str], provincial: Path
) -> Slice:  # fmt: skip
    """coverage: what `hub catalogue coverage --json` said. dead: id of each event of the province that became a dead
    letter -> reason. provincial: that portal's database."""
    found = Slice()
    for step in _filed_online(sent):
        if step.id not in sent.refused and (why := refusal(sent, step)):
            found.wrong.append(f"{step.id} was not planted, and {why}")
    for id, step in sent.refused.items():
        if not refusal(sent, step):
            found.wrong.append(f"{id} was planted, but its service is offered")
        if dead.get(id) != REASON:
            found.wrong.append(f"{id}: a dead letter {REASON} is due, there is {dead.get(id) or 'none'}")
    for id in sorted(dead.keys() - sent.refused.keys()):
        found.wrong.append(f"{id}: a dead letter ({dead[id]}) that nobody planted")
    _check_coverage(found, sent, national, coverage)
    _check_provincial(found, provincial, "service", sent.services, {})
    online = len(list(_filed_online(sent))) - len(sent.refused)
    refused = sum(reason == REASON for reason in dead.values())
    found.figures = {
        "services": len(sent.services),
        "offered": coverage["offered"],
        "by_level": dict(coverage["by_level"]),
        "filed_online": online,
        "not_offered": refused,
        "planted": len(sent.refused),
    }
    levels = ", ".join(f"level {level}: {number}" for level, number in coverage["by_level"].items())
    found.shown = (
        f"{coverage['offered']} of {coverage['procedures']} procedures offered online ({levels}); {online} dossiers "
        f"filed online, {refused} refused as {REASON} ({len(sent.refused)} planted)"
    )
    return found


def _filed_online(sent: Sent) -> Iterable[Step]:
    """The first step that came of each dossier filed online, planted ones too."""
    first = [dossier.steps[0] for dossier in sent.dossiers.values()]
    return [step for step in (*first, *sent.refused.values()) if step.data.get("channel") == "ONLINE"]


def refusal(sent: Sent, step: Step) -> str:
    """Why nobody could file it online on that day, "" if one could (docs/catalogue.md)."""
    told = step.data.get("submitted_at")
    at, code = millis(told) if told else step.at, step.data["procedure_code"]
    procedure = sent.procedures.get(code)
    if procedure and not _open_at(procedure, at):
        return f"procedure {code} was withdrawn before"
    known = [changes for service, changes in sent.services.items() if _procedure(changes, service) == code]
    offered = [changes for changes in known if _open_at(changes, at)]
    if known and not offered:
        return f"the service of {code} was withdrawn before"
    if offered and not any(_takes_filings(standing(changes)[0]) for changes in offered):
        return f"the service of {code} only informs"
    return ""


def _open_at(changes: list[Change], at: int) -> bool:
    """What is offered now counts as offered before: its first day is often only the day the hub learned of it."""
    _, active, since = standing(changes)
    return active or (since is not None and at < since)


def _takes_filings(facts: Json) -> bool:
    level = facts.get("level")
    return facts.get("whole_process") is not None or level is None or level >= FILING_LEVEL


def _procedure(changes: list[Change], service: str) -> str:
    return str(standing(changes)[0].get("procedure_code") or service.rpartition(".")[0])


def _check_coverage(found: Slice, sent: Sent, national: Json, coverage: Json) -> None:
    """Level and kind of each procedure, and the services that are offered for a withdrawn one."""
    lines, stray, offered = {line["code"]: line for line in coverage["lines"]}, [], 0
    for code in codes_of(sent, national):
        theirs, own = national_entry(national, code), _own(sent, code)
        active = theirs[1] if theirs else bool(own and own[1])
        services = {s: standing(c) for s, c in sent.services.items() if _procedure(c, s) == code}
        standing_now = {service: facts for service, (facts, on, _) in services.items() if on}
        taking = [facts for facts in standing_now.values() if _takes_filings(facts)]
        level = max((facts["level"] for facts in taking if facts.get("level")), default=None)
        line = lines.get(code, {})
        due = (active, bool(taking), level)
        found.same(f"coverage of {code}", due, (line.get("active"), line.get("offered"), line.get("level")))
        offered += active and bool(taking)
        stray += [] if active else sorted(standing_now)
    found.same("procedures offered online", offered, coverage["offered"])
    found.same("services of withdrawn procedures", stray, list(coverage["stray"]))
