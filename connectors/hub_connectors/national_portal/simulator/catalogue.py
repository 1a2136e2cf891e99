"""The portal's lists: short ones built in, all others from a JSON file (docs/field/portal.md#services).

The file holds service -> rows (LayDanhSachTTHC, LayDVC, LayDanhMuc…, LayDanhSachHoiDap…), LayThuTuc as MATTHC -> the
procedure, and LayNoiDungTraLoiTheoCauHoi as cauhoiid -> answers. It is read again when it changes, so that a test or a
demo can publish, amend and withdraw.
"""

from __future__ import annotations

import json
from pathlib import Path

from hub.errors import ConfigError
from hub.untyped import JsonObject

Rows = list[JsonObject]

BUILT_IN: dict[str, Rows] = {
    "LayDanhMucGioiTinh": [{"MA": "1", "TEN": "Nam"}, {"MA": "2", "TEN": "Nữ"}, {"MA": "3", "TEN": "Khác"}],
    "LayDanhMucCoQuan": [
        {"MADONVI": "000.00.00.H11", "TENDONVI": "UBND tỉnh Bình Thuận", "CAPDONVI": "1"},
        {"MADONVI": "000.00.12.H11", "TENDONVI": "UBND thành phố Phan Thiết", "CAPDONVI": "2"},
    ],
}
_DETAIL = "LayThuTuc"
_SERVICES = "LayDVC"
_ANSWERS = "LayNoiDungTraLoiTheoCauHoi"
_EMPTY = (
    "LayDanhSachTTHC", "LayDanhMucLinhVuc", "LayDanhMucCapThucHien", "LayDanhMucLePhi", "LayDanhSachHoiDapGuiTuDVCQG",
    "LayDanhSachHoiDapBoCoQuan",
)  # fmt: skip


class Catalogue:
    """path: the JSON file, or "" for the short lists alone."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._stamp: tuple[int, int] | None = None
        self._file: JsonObject = {}
        self._read()

    def has(self, service: str) -> bool:
        """Whether it is a list of the share endpoint."""
        self._read()
        other = (_DETAIL, _SERVICES, _ANSWERS)
        return service in BUILT_IN or service in _EMPTY or (service in self._file and service not in other)

    def rows(self, service: str) -> Rows:
        """The whole list."""
        self._read()
        found: Rows = self._file.get(service, BUILT_IN.get(service, []))
        return found

    def procedure(self, code: str) -> Rows:
        """LayThuTuc: one procedure, or none."""
        self._read()
        found = self._file.get(_DETAIL, {}).get(code)
        return [found] if found else []

    def answers(self, question: str) -> Rows:
        """LayNoiDungTraLoiTheoCauHoi: answers that the file has for a question."""
        self._read()
        found: Rows = self._file.get(_ANSWERS, {}).get(question, [])
        return found

    def asked(self, question: str) -> bool:
        """Whether a citizen asked it."""
        return any(str(row.get("HOIDAPID")) == question for row in self.rows("LayDanhSachHoiDapGuiTuDVCQG"))

    def services(self, procedure: str) -> Rows:
        """LayDVC: those of one procedure, or all for ""."""
        return [row for row in self.rows(_SERVICES) if procedure in ("", row.get("MATTHC"))]

    def _read(self) -> None:
        if self._path is None:
            return
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._file = json.loads(self._path.read_text("utf-8"))
                self._stamp = stamp
        except (OSError, ValueError) as error:
            raise ConfigError("--catalogue", f"cannot use {self._path}: {error}") from None
