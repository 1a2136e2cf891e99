"""The demo's report: the figures, and what in them is not as it must be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hub.deadletter.record import DeadLetter
from hub.demo.bad_records import MARKER, Planted
from hub.demo.checker.sample import Finding
from hub.demo.feed import Fed
from hub.demo.kills import Kill
from hub.demo.sample_input import agencies
from hub.demo.topic_counts import Tally
from hub.untyped import JsonObject

UNPLANTED = "none"


def figures(
    tally: Tally, fed: Fed, planted: Sequence[Planted], findings: Mapping[str, Finding],
    faults: Mapping[str, Mapping[str, int]], kills: Sequence[Kill], elapsed_s: float, source_events: int,
) -> JsonObject:  # fmt: skip
    """The report. Latency: from acceptance to the portal's receipt, over all events and both portals."""
    latencies = tally.latencies_ms()
    return {
        "source_events": source_events,
        "accepted": tally.accepted,
        "duplicates": tally.duplicates + fed.duplicates,
        "dead_letters": len(tally.dead),
        "planted_bad": len(planted),
        "due": {name: finding.due for name, finding in findings.items()},
        "delivered": {name: finding.delivered for name, finding in findings.items()},
        "missing": {name: len(finding.missing) for name, finding in findings.items()},
        "order_violations": sum(len(finding.order) for finding in findings.values()),
        "faults_injected": dict(sum((Counter(counts) for counts in faults.values()), Counter[str]())),
        "retries": tally.retries,
        "redelivered": sum(finding.repeated for finding in findings.values()),
        "kills": [asdict(kill) for kill in kills],
        "elapsed_s": round(elapsed_s, 1),
        "events_per_s": round(source_events / elapsed_s, 1),
        "latency_p50_ms": _percentile(latencies, 50),
        "latency_p99_ms": _percentile(latencies, 99),
    }


def _percentile(values: Sequence[int], percent: int) -> int | None:
    """Nearest rank, of sorted values."""
    return values[max(0, -(-len(values) * percent // 100) - 1)] if values else None


def marker_of(letter: DeadLetter) -> str:
    """Which planted record it is; UNPLANTED if it is none."""
    content = b"\n".join([letter.value or b"", letter.event_id.encode(), *(value for _, value in letter.headers)])
    found = MARKER.search(content)
    return found[0].decode() if found else UNPLANTED


def faults_of(
    report: Mapping[str, Any], findings: Mapping[str, Finding], due: int,
    dead: Sequence[DeadLetter], planted: Sequence[Planted],
) -> list[str]:  # fmt: skip
    """What is wrong, one sentence each; empty: the demo has passed."""
    wrong: list[str] = []
    for portal, finding in findings.items():
        if finding.due != due:
            wrong.append(f"{portal}: {finding.due} events are due, committed are {due}")
        for what, found in (("missing", finding.missing), ("altered", finding.altered),
                            ("unexpected", finding.unexpected), ("out of order", finding.order)):  # fmt: skip
            if found:
                wrong.append(f"{portal}: {len(found)} {what}, first: {found[0]}")
    wrong += _dead_letters(dead, planted)
    if report["accepted"] != report["source_events"]:
        wrong.append(f"{report['accepted']} events were accepted of {report['source_events']}")
    wrong += [f"the kill of {k['role']} caught nothing" for k in report["kills"] if k["unfinished"] < 1]
    if not report["faults_injected"]:
        wrong.append("the portals injected no fault")
    return wrong


def without_duplicate(doubled: Mapping[str, int], fed: Fed) -> list[str]:
    """A sentence for each way in by which no duplicate was recognised. doubled: by source, of hub.ingress."""
    ways = Counter({"http": fed.duplicates})
    for agency in agencies():
        ways[agency.carrier] += doubled.get(agency.source, 0)
    return [f"no duplicate was recognised that came by {way}" for way, number in ways.items() if not number]


def _dead_letters(dead: Sequence[DeadLetter], planted: Sequence[Planted]) -> list[str]:
    """Exactly the planted ones, each once, at the stage and with the reason that its kind has."""
    planned = {bad.marker: (bad.entry()["stage"], bad.entry()["reason"]) for bad in planted}
    found: dict[str, list[DeadLetter]] = {}
    for letter in dead:
        found.setdefault(marker_of(letter), []).append(letter)
    wrong = [f"no dead letter for {marker}" for marker in planned if marker not in found]
    for marker, letters in found.items():
        first = letters[0]
        said = f"{first.stage}/{first.reason}: {first.detail}"
        if marker not in planned:
            wrong.append(f"{len(letters)} dead letters that nobody planted, first: {said}")
        elif len(letters) > 1:
            wrong.append(f"{len(letters)} dead letters for {marker}")
        elif (first.stage, first.reason) != planned[marker]:
            wrong.append(f"{marker} should be {'/'.join(planned[marker])} and is {said}")
    return wrong


def write(content: Mapping[str, Any], path: Path) -> None:
    """Writes the report as JSON for people and programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
