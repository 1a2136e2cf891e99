"""Golden wire messages: files written by hand from docs/field, read for connector tests and simulator tests.

A request may refer to another file: {"golden": name, "call": n} with changes to its body:
set {"field": value, "data.field": value}, fill {"data.field": length}, fill_cut (length - 1 characters and an
ellipsis), drop [field]. "data." means the first entry of data.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub.connect.portal import Item
from hub.events import families
from tests.support.contract_events import START, item, milliseconds

Json = dict[str, Any]
FILL = "ă"


class Golden:
    """The golden files of one connector's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self, audience: str) -> list[str]:
        """Those meant for `connector`, `simulator` …; each names its source."""
        found = [path.stem for path in sorted(self._folder.glob("*.json")) if audience in self.load(path.stem)["for"]]
        assert found, f"no golden file for {audience} in {self._folder}"
        return found

    def load(self, name: str) -> Json:
        golden: Json = json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8"))
        assert golden["source"], name
        return golden

    def request(self, call: Json) -> Json:
        """The request of a call, references resolved and changes made."""
        request: Json = copy.deepcopy(call)
        if "golden" not in request:
            return request
        found = self.request(self.load(request["golden"])["exchange"][request["call"]]["request"])
        body = found["body"]
        for path, value in request.get("set", {}).items():
            _put(body, path, value)
        for path, length in request.get("fill", {}).items():
            _put(body, path, FILL * length)
        for path, length in request.get("fill_cut", {}).items():
            _put(body, path, FILL * (length - 1) + "…")
        for path in request.get("drop", []):
            _place(body, path).pop(path.removeprefix("data."))
        if "path" in request:
            found["path"] = request["path"]
            found["headers"] = {}
        return found

    def items(self, golden: Json) -> list[Item]:
        """The events in: own or another file's, filled up or repeated as the file says."""
        source = self.load(golden["items_from"]) if "items_from" in golden else golden
        raw = copy.deepcopy(source["items"])
        for path, length in golden.get("fill_items", {}).items():
            *way, last = path.split(".")
            place = raw[0]["data"]
            for step in way:
                place = place[step]
            place[last] = FILL * length
        if repeat := golden.get("repeat_items"):
            raw = [_later(raw[0], n, repeat["step_s"]) for n in range(repeat["times"])]
        return [_item(one) for one in raw]


def _item(raw: Json) -> Item:
    data = raw["data"]
    subject = raw.get("subject") or data["dossier"]["dossier_code"]
    return item(data, raw["event_id"], subject, raw.get("type", families.DOSSIER.event.type), raw.get("time", START))


def _later(raw: Json, n: int, step_s: int) -> Json:
    out = copy.deepcopy(raw)
    out["event_id"] = f"{raw['event_id'][:-4]}{n:04}"
    out["data"]["hub_seq"] += n
    out["data"]["step"]["occurred_at"] = milliseconds(raw["data"]["step"]["occurred_at"]) + n * step_s * 1000
    return out


def _place(body: Json, path: str) -> Json:
    place: Json = body["data"][0] if path.startswith("data.") else body
    return place


def _put(body: Json, path: str, value: Any) -> None:
    _place(body, path)[path.removeprefix("data.")] = value


def assert_headers(wanted: Json, given: Any, absent: Sequence[str] = ()) -> None:
    for name, value in wanted.items():
        assert given.get(name) == value, name
    for name in absent:
        assert name not in given, name
