"""`hub figures --month 2026-10`: figures and score of each agency, as a table, JSON or a workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli import output
from hub.config import load
from hub.errors import StartError
from hub.untyped import JsonObject

app = typer.Typer(add_completion=False)


@app.command()
def figures(
    month: Annotated[str, typer.Option(help="as 2026-10; a month that runs is counted up to now")],
    agency: Annotated[str, typer.Option(help="only this agency and its parts, as H11.12 or 000.00.12.H11")] = "",
    xlsx: Annotated[
        Path | None, typer.Option(help="write the workbook here, with the dossiers of every number")
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Count the month from the read model: received, on time, late, pending, online, published; the QĐ 766 score."""
    from hub.readmodel.database import open_engine
    from hub.reports import monthly_report, monthly_report_xlsx

    settings = load()
    engine = open_engine(settings)
    try:
        found = monthly_report.monthly(engine, settings, month, agency)
    finally:
        engine.dispose()
    if xlsx is not None:
        try:
            monthly_report_xlsx.write(found, xlsx)
        except OSError as error:
            raise StartError(f"{xlsx}: {error.strerror or error}") from None
    if as_json:
        output.print_json(found)
    else:
        _print(found)
        if xlsx is not None:
            print(f"written: {xlsx}")


def _print(report: JsonObject) -> None:
    columns = ("agency", "name", "received", "on time", "late", "pending", "overdue", "online", "score", "")
    running = "" if report["complete"] else f", up to {report['until']}"
    rows = [_row(agency) for agency in [*report["agencies"], report["province"]]]
    output.print_table(f"Figures of {report['month']}{running}", columns, rows)


def _row(agency: JsonObject) -> tuple[object, ...]:
    names = ("received", "on_time", "late", "pending", "pending_overdue", "online")
    counts = [agency["figures"][name]["count"] for name in names]
    total = agency["score"]["total"]
    return agency["agency"], agency["name"], *counts, "–" if total is None else f"{total:.1f}", agency["score"]["band"]
