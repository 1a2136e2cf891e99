"""What the simulated national portal keeps: the dossiers as they stand, every accepted call, every progress line.

Public to the demo's checker:
dossiers(ma_ho_so, body, trang_thai, first_at, updated_at, writes)         body: JSON of the last accepted entry
dossier_history(id, ma_ho_so, is_updating, trang_thai, body, arrived_at)   id: order of arrival
progress_lines(id, ma_ho_so, … the nine fields …, arrived_at, receptions)  id: order of arrival
answers(id, ma_ho_so, trang_thai, body, arrived_at)                        DongBoTrangThaiHoSo, order of arrival
question_answers(id, hoi_dap_id, body, arrived_at)                         DongBoKetQuaHoiDapGuiTuDVCQG, as it came
calls(id, at, service, ma_ho_so, error_code, message)                      every call that was answered by the portal
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from hub.untyped import JsonObject
from hub_connectors.national_portal.simulator.options import ProgressMode
from hub_connectors.simulation.store import Store, utc_now

LINE_COLUMNS = {
    "MaHoSo": "ma_ho_so",
    "NguoiXuLy": "nguoi_xu_ly",
    "ChucDanh": "chuc_danh",
    "ThoiDiemXuLy": "thoi_diem_xu_ly",
    "PhongBanXuLy": "phong_ban_xu_ly",
    "NoiDungXuLy": "noi_dung_xu_ly",
    "TrangThai": "trang_thai",
    "NgayBatDau": "ngay_bat_dau",
    "NgayKetThucTheoQuyDinh": "ngay_ket_thuc_theo_quy_dinh",
}
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS dossiers (
    ma_ho_so TEXT PRIMARY KEY, body TEXT NOT NULL, trang_thai TEXT NOT NULL,
    first_at TEXT NOT NULL, updated_at TEXT NOT NULL, writes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS dossier_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, ma_ho_so TEXT NOT NULL, is_updating TEXT NOT NULL,
    trang_thai TEXT NOT NULL, body TEXT NOT NULL, arrived_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS progress_lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT, {", ".join(f"{c} TEXT NOT NULL" for c in LINE_COLUMNS.values())},
    arrived_at TEXT NOT NULL, receptions INTEGER NOT NULL DEFAULT 1);
CREATE INDEX IF NOT EXISTS progress_by_dossier ON progress_lines (ma_ho_so);
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, ma_ho_so TEXT NOT NULL, trang_thai TEXT NOT NULL, body TEXT NOT NULL,
    arrived_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS question_answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, hoi_dap_id TEXT NOT NULL, body TEXT NOT NULL, arrived_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, service TEXT NOT NULL, ma_ho_so TEXT NOT NULL,
    error_code TEXT NOT NULL, message TEXT NOT NULL);
"""
_SAME_LINE = "ma_ho_so = ? AND thoi_diem_xu_ly = ? AND trang_thai = ? AND phong_ban_xu_ly = ?"


class Ledger:
    """`progress_mode`: append keeps every line that comes, replace keeps a dossier's lines of the last call only,
    dedupe keeps one of each (MaHoSo, ThoiDiemXuLy, TrangThai, PhongBanXuLy). The last two count receptions."""

    def __init__(self, path: Path | str, progress_mode: ProgressMode) -> None:
        self._store = Store(path, _SCHEMA)
        self._mode = progress_mode

    def close(self) -> None:
        self._store.close()

    def find(self, code: str) -> JsonObject | None:
        """The dossier's body, or None."""
        row = self._store.db.execute("SELECT body FROM dossiers WHERE ma_ho_so = ?", (code,)).fetchone()
        return json.loads(row["body"]) if row else None

    def write_dossiers(self, entries: list[JsonObject], is_updating: str) -> None:
        now = utc_now()
        with self._store.transaction() as db:
            for entry in entries:
                code, status = entry["MaHoSo"], entry["TrangThaiHoSo"]
                body = json.dumps(entry, ensure_ascii=False)
                db.execute(
                    "INSERT INTO dossiers VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (ma_ho_so) DO UPDATE SET"
                    " body = excluded.body, trang_thai = excluded.trang_thai, updated_at = excluded.updated_at,"
                    " writes = writes + 1",
                    (code, body, status, now, now),
                )
                db.execute(
                    "INSERT INTO dossier_history (ma_ho_so, is_updating, trang_thai, body, arrived_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (code, is_updating, status, body, now),
                )

    def write_lines(self, entries: list[dict[str, str]]) -> None:
        with self._store.transaction() as db:
            before = {}
            if self._mode == "replace":
                before = {_line(entry): self._receptions(db, entry) for entry in entries}
                for code in {entry["MaHoSo"] for entry in entries}:
                    db.execute("DELETE FROM progress_lines WHERE ma_ho_so = ?", (code,))
            for entry in entries:
                if self._mode != "dedupe" or not self._counted(db, entry):
                    self._insert_line(db, entry, before.get(_line(entry), 0) + 1)

    @staticmethod
    def _receptions(db: sqlite3.Connection, entry: dict[str, str]) -> int:
        sql = f"SELECT sum(receptions) FROM progress_lines WHERE {_SAME_LINE}"
        return db.execute(sql, _line(entry)).fetchone()[0] or 0

    @staticmethod
    def _counted(db: sqlite3.Connection, entry: dict[str, str]) -> bool:
        """Whether the line stood there already; if so its receptions went up by one."""
        sql = f"UPDATE progress_lines SET receptions = receptions + 1 WHERE {_SAME_LINE}"
        return db.execute(sql, _line(entry)).rowcount > 0

    @staticmethod
    def _insert_line(db: sqlite3.Connection, entry: dict[str, str], receptions: int) -> None:
        columns = ", ".join(LINE_COLUMNS.values())
        marks = ", ".join("?" * len(LINE_COLUMNS))
        values = [*(entry.get(name, "") for name in LINE_COLUMNS), utc_now(), receptions]
        db.execute(f"INSERT INTO progress_lines ({columns}, arrived_at, receptions) VALUES ({marks}, ?, ?)", values)

    def write_answer(self, data: JsonObject) -> None:
        self._store.db.execute(
            "INSERT INTO answers (ma_ho_so, trang_thai, body, arrived_at) VALUES (?, ?, ?, ?)",
            (data["MaHoSo"], data["TrangThai"], json.dumps(data, ensure_ascii=False), utc_now()),
        )

    def write_question_answers(self, entries: list[JsonObject]) -> None:
        with self._store.transaction() as db:
            for entry in entries:
                db.execute(
                    "INSERT INTO question_answers (hoi_dap_id, body, arrived_at) VALUES (?, ?, ?)",
                    (entry["HOIDAPID"], json.dumps(entry, ensure_ascii=False), utc_now()),
                )

    def question_answers(self, question: str) -> list[JsonObject]:
        """Returns the answers as LayNoiDungTraLoiTheoCauHoi shows them, each under a TRALOIID of its own."""
        sql = "SELECT id, body FROM question_answers WHERE hoi_dap_id = ? ORDER BY id"
        rows = self._store.db.execute(sql, (question,)).fetchall()
        return [{"TRALOIID": row["id"], **json.loads(row["body"])} for row in rows]

    def log(self, service: str, code: str, error_code: str, message: str) -> None:
        self._store.db.execute(
            "INSERT INTO calls (at, service, ma_ho_so, error_code, message) VALUES (?, ?, ?, ?, ?)",
            (utc_now(), service, code, error_code, message),
        )


def _line(entry: dict[str, str]) -> tuple[str, str, str, str]:
    """What tells two lines of progress apart (docs/delivery.md#what-delivered-means)."""
    return entry["MaHoSo"], entry["ThoiDiemXuLy"], entry["TrangThai"], entry.get("PhongBanXuLy", "")
