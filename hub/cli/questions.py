"""`hub questions list|answer SUBSCRIBER`: what citizens asked on a portal, and the answers that go back to it.

Exit codes: 0 done; 1 the portal has no calls for questions, refused the answer, or has another one; 75 it is away (the
same command again does no harm: it looks up first).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.cli import calls, output
from hub.errors import ConfigError, StartError

app = typer.Typer(add_completion=False, no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="a portal, by its name as subscriber")]


@app.command("list")
def list_all(
    subscriber: Name,
    every: Annotated[bool, typer.Option("--all", help="also those that have an answer")] = False,
    agency: Annotated[str, typer.Option(help="only those put to this agency and its parts, either form")] = "",
    by_agencies: Annotated[bool, typer.Option("--agencies", help="those that agencies wrote themselves")] = False,
    as_json: output.Json = False,
) -> None:
    """Questions without an answer (at the national portal: LayDanhSachHoiDapGuiTuDVCQG)."""
    wanted = {"name": subscriber, "all": every, "agency": agency, "by_agencies": by_agencies}
    found = calls.call("question.list", wanted)
    if as_json:
        output.print_json(found)
        return
    rows = [(one["id"], one["agency_code"], one["text"], one["answer"]) for one in found]
    output.print_table(f"Questions at {subscriber}", ("id", "agency", "question", "answer"), rows)


@app.command()
def answer(
    subscriber: Name,
    question: Annotated[str, typer.Argument(help="its id, as `list` shows it")],
    by: Annotated[str, typer.Option(help="who answers (NGUOITRALOI)")],
    text_file: Annotated[Path, typer.Option(help="the answer, UTF-8; - reads stdin")],
    position: Annotated[str, typer.Option(help="as what (CHUCVUNGUOITRALOI)")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="send it though another answer stands there")] = False,
    why: Annotated[str, typer.Option(help="the reason, for the audit")] = "",
    as_json: output.Json = False,
) -> None:
    """Send an answer (at the national portal: DongBoKetQuaHoiDapGuiTuDVCQG); the audit tells who did."""
    wanted = {"name": subscriber, "question": question, "text": _read(text_file), "by": by, "position": position}
    found = calls.call("question.answer", wanted | {"replace": replace}, why)
    if as_json:
        output.print_json(found)
    else:
        print("sent" if found["sent"] else "this answer stands there already")


def _read(path: Path) -> str:
    try:
        found = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path}: {error}") from None
    if not found.strip():
        raise ConfigError("text-file", "the answer is empty")
    return found.strip()
