"""The checker finds exactly what was done to a copy of a simulator's database, and imports nothing from the hub."""

from __future__ import annotations

import ast
import contextlib
import json
import shutil
import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from hub.connect.samples import Step
from hub.demo.checker import sample
from hub.demo.checker.sample import Finding
from hub.demo.sample_input import nested, steps, write_manifest
from hub_connectors.national_portal.simulator.ledger import Ledger as NationalLedger
from hub_connectors.webhook.simulator.ledger import Ledger as ProvincialLedger

SAMPLE = Path(str(resources.files("hub_connectors.filedrop.sample") / "receipt.csv"))
PLAN = Path(str(resources.files("hub.demo") / "sample.toml"))
STEPS = steps()


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the manifest and the databases of two portals that got everything."""
    folder = tmp_path_factory.mktemp("portals")
    write_manifest(folder / "manifest.json", STEPS, [])
    provincial = ProvincialLedger(folder / "provincial.sqlite")
    national = NationalLedger(folder / "national.sqlite", "append")
    seqs: dict[str, int] = {}
    provincial._store.db.execute("PRAGMA synchronous=OFF")
    national._store.db.execute("PRAGMA synchronous=OFF")
    for step in STEPS:
        seq = seqs[step.code] = seqs.get(step.code, 0) + 1
        provincial.receive(f"id-{step.task}", "vn.hub.dossier.event", step.code, seq, provincial_body(step, seq))
        national.write_dossiers([national_dossier(step)], "True" if seq > 1 else "False")
        national.write_lines([national_line(step)])
    provincial.close()
    national.close()
    return folder


def provincial_body(step: Step, seq: int) -> str:
    datum = nested(step.fields)
    for name in ("occurred_at", "received_at", "due_at"):
        datum[name] = sample.iso(datum[name])
    status = sample.STATUS[step.fields["step"]][0]
    data = {"hub_seq": seq, "late": False, "status": status, "step": datum, "dossier": {"status": status}}
    return json.dumps({"type": "x", "timestamp": "x", "data": data}, ensure_ascii=False)


def national_dossier(step: Step) -> dict[str, str]:
    f = step.fields
    return {
        "MaHoSo": step.code,
        "MaTTHC": f["procedure_code"],
        "TenTTHC": f["procedure_name"],
        "MaLinhVuc": f["field_code"],
        "ChuHoSo": f["applicant.name"],
        "TrangThaiHoSo": sample.STATUS[f["step"]][1],
        "NgayTiepNhan": sample.wire(f["received_at"]),
        "NgayHenTra": sample.wire(f["due_at"]),
        "DonViXuLy": f["agency_name"],
        "KenhThucHien": {"DIRECT": "1", "ONLINE": "2", "POST": "3"}[f["channel"]],
    }


def national_line(step: Step) -> dict[str, str]:
    f = step.fields
    return {
        "MaHoSo": step.code,
        "NguoiXuLy": f["handler.name"],
        "ThoiDiemXuLy": sample.wire(step.at),
        "PhongBanXuLy": f.get("handler.department", ""),
        "NoiDungXuLy": f["note"],
        "TrangThai": sample.STATUS[f["step"]][1],
    }


def check(held: Path, tmp_path: Path, portal: str, *changes: str) -> Finding:
    """The finding for that portal after the SQL statements on a copy of its database."""
    copy = Path(shutil.copy(held / f"{portal}.sqlite", tmp_path))
    with contextlib.closing(sqlite3.connect(copy)) as db:
        for change in changes:
            assert db.execute(change).rowcount > 0, change
        db.commit()
    other = {name: held / f"{name}.sqlite" for name in ("national", "provincial")} | {portal: copy}
    return sample.check(SAMPLE, PLAN, held / "manifest.json", other["national"], other["provincial"])[portal]


@pytest.mark.parametrize("portal", ["national", "provincial"])
def test_nothing_is_wrong_where_nothing_is(held: Path, tmp_path: Path, portal: str) -> None:
    found = check(held, tmp_path, portal)
    assert (found.due, found.delivered, found.repeated) == (8577, 8577, 0)
    assert (found.missing, found.altered, found.unexpected, found.order) == ([], [], [], [])


def test_three_out_two_swapped_one_altered_at_the_provincial_portal(held: Path, tmp_path: Path) -> None:
    gone = [STEPS[100], STEPS[4000], STEPS[8000]]
    # Two neighbours of one dossier that has more than the three taken out.
    dossier = [s for s in STEPS if s.code == STEPS[2000].code]
    first, second = dossier[1], dossier[2]
    altered = STEPS[3000]
    assert len({s.code for s in [*gone, first, altered]}) == 5
    found = check(
        held,
        tmp_path,
        "provincial",
        *(f"DELETE FROM events WHERE webhook_id = 'id-{s.task}'" for s in gone),
        f"UPDATE events SET arrival = -1 WHERE webhook_id = 'id-{first.task}'",
        f"UPDATE events SET arrival = (SELECT max(arrival) FROM events) + 1 WHERE webhook_id = 'id-{second.task}'",
        "UPDATE events SET arrival = (SELECT 1 + max(arrival) FROM events) WHERE arrival = -1",
        f"UPDATE events SET body = json_set(body, '$.data.step.handler.name', 'ai đó')"
        f" WHERE webhook_id = 'id-{altered.task}'",
        *(
            f"UPDATE events SET arrival = (SELECT 1 + max(arrival) FROM events) WHERE webhook_id = 'id-{s.task}'"
            for s in dossier[3:]
        ),
    )
    assert found.missing == sorted(s.task for s in gone)
    assert found.delivered == 8577 - 3
    assert found.altered == [(altered.task, "handler.name", altered.fields["handler.name"], "ai đó")]
    assert found.order == [
        (first.code, f"{first.task} (hub_seq 2) arrived after {second.task} (hub_seq 3)"),
    ]
    assert found.unexpected == []


def test_three_out_one_back_one_altered_at_the_national_portal(held: Path, tmp_path: Path) -> None:
    gone = [STEPS[100], STEPS[4000], STEPS[8000]]
    altered = STEPS[3000]
    turned = next(s for s in STEPS if s.fields["step"] == "RETURNED")
    found = check(
        held,
        tmp_path,
        "national",
        *(f"DELETE FROM progress_lines WHERE noi_dung_xu_ly LIKE '%({s.task})'" for s in gone),
        f"UPDATE dossiers SET body = json_set(body, '$.ChuHoSo', 'ai đó') WHERE ma_ho_so = '{altered.code}'",
        f"UPDATE progress_lines SET trang_thai = '9' WHERE noi_dung_xu_ly LIKE '%({altered.task})'",
        # The state after the result was returned: shown once more as in process.
        "INSERT INTO dossier_history (ma_ho_so, is_updating, trang_thai, body, arrived_at)"
        f" VALUES ('{turned.code}', 'True', '4', '{{}}', 'x')",
        "INSERT INTO progress_lines SELECT 99999, ma_ho_so, nguoi_xu_ly, chuc_danh, thoi_diem_xu_ly, phong_ban_xu_ly,"
        " 'không ai gửi', trang_thai, '', '', arrived_at, 1 FROM progress_lines WHERE id = 5",
    )
    assert found.missing == sorted(s.task for s in gone)
    assert sorted(found.altered) == sorted(
        [
            (altered.code, "ChuHoSo", altered.fields["applicant.name"], "ai đó"),
            (altered.task, "trang_thai", sample.STATUS[altered.fields["step"]][1], "9"),
        ]
    )
    assert [code for code, _ in found.order] == [turned.code]
    assert len(found.unexpected) == 1


def test_a_whole_dossier_that_never_came(held: Path, tmp_path: Path) -> None:
    code = STEPS[0].code
    found = check(held, tmp_path, "national", f"DELETE FROM dossiers WHERE ma_ho_so = '{code}'")
    assert found.missing == [f"dossier {code}"]


def test_repetitions_are_counted_and_are_no_fault(held: Path, tmp_path: Path) -> None:
    found = check(held, tmp_path, "provincial", "UPDATE events SET receptions = 3 WHERE arrival < 11")
    assert (found.repeated, found.missing, found.order) == (20, [], [])


def test_it_imports_nothing_from_the_hub() -> None:
    tree = ast.parse(Path(sample.__file__).read_text("utf-8"))
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    outside = {n for n in names if not n.startswith("hub.demo.checker")}
    assert not {n for n in outside if n.partition(".")[0] in ("hub", "hub_connectors", ".")}
