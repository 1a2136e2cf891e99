"""Slice 7 of the generated province: what was filed on the national portal, what went back to it, and what did not.
Imports nothing from the hub but its sibling checkers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hub.demo.checker.result import Slice, rows
from hub.demo.checker.sent import STATUS_CODE, Sent, statuses_of

Json = Mapping[str, Any]
ANSWER_CODE = {"RECEIVED": "2", "NOT_ACCEPTED": "3", "SUPPLEMENT_REQUESTED": "5"}
"""TrangThai of DongBoTrangThaiHoSo (docs/field/packets.md#answer-back)."""
OUT_OF_REACH = "files out of reach"


def check(
    filed: Iterable[Json], answered: Sent, national: Path, answers: Mapping[str, Json], source: str, *others: Slice
) -> Slice:
    """filed: the dossiers as the portal passed them on. answered: what the agency sent of them. answers: dossier code
    -> the read API's. source: under which the portal's calls come in. others: what else belongs to this
    slice."""
    found, codes, dead = Slice(), [one["MaHoSo"] for one in filed], 0
    back = set[str]()
    kept = {row["ma_ho_so"]: row["trang_thai"] for row in rows(national, "SELECT * FROM dossiers")}
    told = _by_code(rows(national, "SELECT ma_ho_so, trang_thai FROM answers ORDER BY id"))
    lines = _by_code(rows(national, "SELECT ma_ho_so, trang_thai FROM progress_lines ORDER BY id"))
    history = _by_code(rows(national, "SELECT ma_ho_so, trang_thai FROM dossier_history ORDER BY id"))
    for one in filed:
        code = one["MaHoSo"]
        steps = answered.dossiers[code].in_time() if code in answered.dossiers else []
        own = statuses_of([("SUBMITTED", False), *((step.kind, step.correction) for step in steps)])
        status = own[-1]
        answer = answers.get(code) or {}
        found.same(f"{code} in the read API, status", status, answer.get("status"))
        first: Json = next(iter(answer.get("events") or []), {})
        found.same(f"{code}, how it came in", ("SUBMITTED", source), (first.get("step"), first.get("source")))
        due = {ANSWER_CODE[step.kind] for step in steps if step.kind in ANSWER_CODE}
        found.same(f"{code}, answered to the national portal", due, set(told.get(code, [])))
        found.same(f"{code} at the national portal, status", STATUS_CODE[status], kept.get(code))
        # What came from the portal is not sent back to it: no line of the filing, and status 1 only as it was filed.
        found.same(f"{code}, lines", {STATUS_CODE[one] for one in own[1:]}, set(lines.get(code, [])))
        found.same(f"{code}, how often shown as new", 1, history.get(code, []).count("1"))
        if "1" in lines.get(code, []) or history.get(code, []).count("1") > 1:
            back.add(code)
        dead += _check_links(found, one, answer)
    for other in others:
        found.wrong += other.wrong
    found.figures = {
        "filed": len(codes),
        "answered": sum(len(set(told.get(code, []))) for code in codes),
        "sent_back": len(back),
        "files_out_of_reach": dead,
    }
    for other in others:
        found.figures |= other.figures
    told_of = (
        f"{len(codes)} dossiers filed there came in, {found.figures['answered']} answered back, "
        f"{len(back)} sent back in a loop, {dead} file out of reach named"
    )
    found.shown = "; ".join([told_of, *(other.shown for other in others)])
    return found


def _by_code(found: Iterable[Any]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for row in found:
        out.setdefault(row["ma_ho_so"], []).append(row["trang_thai"])
    return out


def _check_links(found: Slice, filed: Json, answer: Json) -> int:
    """A file whose link is dead is named in the receipt, and no other."""
    said = [d["answer"] or "" for d in answer.get("deliveries") or [] if d["subscriber"] == "national"]
    named = 0
    for file in filed["TaiLieuNop"]:
        is_dead = ":1/" in file["DuongDanTaiTepTin"]
        told = any(OUT_OF_REACH in text and file["TepDinhKemId"] in text for text in said)
        found.same(f"{filed['MaHoSo']}, {file['TepDinhKemId']} named as out of reach", is_dead, told)
        named += told
    return named


def check_satisfaction(sent: Sent, start: int, end: int, told: Json, national: Path) -> Slice:
    """told: what `hub satisfaction --json` said of the month from `start` to `end`, ms UTC: the ratings of one star, of
    two … of five. Of one dossier the last rating counts."""
    found, last = Slice(), dict[str, int]()
    for code, dossier in sent.dossiers.items():
        for step in dossier.in_time():
            if step.kind == "RATED" and start <= step.at < end:
                last[code] = step.data["rating"]
    given = list(last.values())
    found.same("ratings of the month", [given.count(star) for star in range(1, 6)], list(told["counts"]))
    calls = list(rows(national, "SELECT error_code FROM calls WHERE service = 'DongBoDanhGia'"))
    taken = sum(row["error_code"] == "0" for row in calls)
    if given and not taken:
        found.wrong.append("DongBoDanhGia was never taken by the national portal")
    found.figures = {"ratings": len(given), "satisfaction_calls": taken}
    found.shown = f"satisfaction of {len(given)} ratings sent" if given else "nobody rated"
    return found


def check_questions(asked: Iterable[Json], replies: Mapping[str, str], seen: Json, national: Path) -> Slice:
    """asked: rows of the portal's list. replies: id -> what the agency answered. seen: `before` and `after`, the open
    questions by id as `hub questions list` told them."""
    found, ids = Slice(), [str(one["HOIDAPID"]) for one in asked]
    found.same("questions asked on the national portal", ids, list(seen["before"]))
    found.same("questions still open", [id for id in ids if id not in replies], list(seen["after"]))
    kept = rows(national, "SELECT hoi_dap_id, body FROM question_answers ORDER BY id")
    stands = {str(row["hoi_dap_id"]): json.loads(row["body"])["NOIDUNGTRALOI"] for row in kept}
    for id, text in replies.items():
        found.same(f"answer to question {id}", text, stands.get(id))
    found.figures = {"questions": len(ids), "questions_answered": len(stands)}
    found.shown = f"{len(stands)} of {len(ids)} questions answered"
    return found
