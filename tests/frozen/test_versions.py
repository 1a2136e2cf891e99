"""Each schema version that was older at 992bdaf is written and read somewhere in part `versions`."""

from __future__ import annotations

from tests.frozen import book

OLDER = {"Dossier": 2, "DossierDeadline": 1, "DossierDeadlineEvent": 3, "DossierEvent": 3, "DossierStep": 2,
         "OnlineService": 1, "Procedure": 1, "ProcedureChange": 1, "ProcedureEvent": 1, "ServiceEvent": 1}  # fmt: skip
"""By record: the last but one version that stood in schemas/released."""


def test_every_older_version_was_read() -> None:
    recorded = book.recorded()
    cases = {name for file in ("events", "states", "log") for name in recorded[f"versions/{file}"]}
    assert {f"{record} {n}" for record, last in OLDER.items() for n in range(1, last + 1)} <= cases
    assert [file for file in ("events", "blocks") for case in recorded[f"versions/{file}"].values()
            for out in case["out"] if out["topic"] != "hub.events"] == []  # fmt: skip


def test_blocks_and_one_block_are_the_same_lists() -> None:
    blocks = recorded_lists()
    assert blocks["DossierStep 3, blocks of one"] == blocks["DossierStep 3, blocks of two"]
    assert [len(own) for own in blocks["DossierStep 2, blocks of four"]] == [6, 3]


def recorded_lists() -> dict[str, list[list[str]]]:
    found = {}
    for name, case in book.recorded()["versions/blocks"].items():
        (out,) = case["out"]
        if "dossier" in out["value"]:
            dossier = out["value"]["dossier"]
            found[name] = [[item["id"] for item in dossier["attachments"]], [fee["code"] for fee in dossier["fees"]]]
    return found
