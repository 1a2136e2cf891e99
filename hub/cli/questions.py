"""`hub questions list|answer SUBSCRIBER`: what citizens asked on a portal, and the answers that go back to it.

Exit codes: 0 done; 1 the portal has no calls for questions, refused the answer, or has another one; 75 it is away (the
same command again does no harm: it looks up first).
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from hub import config
from hub.admin import subscribers
from hub.cli import output
from hub.config import Settings
from hub.connect.portal import Answer, make_portal
from hub.connect.questions import Kind, Question, QuestionReply, opened
from hub.control import audit
from hub.control.audit import Target, acting
from hub.control.records import Subscriber
from hub.control.vault import vault
from hub.errors import BadRecord, ConfigError, Rejected, StartError
from hub.model import codes

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
    own = _agency(agency)
    found = asyncio.run(_list(config.load(), subscriber, "agencies" if by_agencies else "citizens"))
    wanted = [one for one in found if (every or not one.answer) and _is_for(one, own)]
    if as_json:
        output.print_json([dataclasses.asdict(one) for one in wanted])
        return
    rows = [(one.id, one.agency_code, one.text, one.answer) for one in wanted]
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
    given = QuestionReply(question, "", _read(text_file), by, position, int(time.time() * 1000))
    sent = asyncio.run(_answer(config.load(), subscriber, given, replace, why))
    if as_json:
        output.print_json({"question": question, "sent": sent is not None})
    else:
        print("sent" if sent else "this answer stands there already")


def _agency(text: str) -> str:
    try:
        return codes.agency(text).normal if text else ""
    except BadRecord as error:
        raise ConfigError("agency", error.detail) from None


def _is_for(question: Question, agency: str) -> bool:
    """A question with an agency code that is none is everybody's."""
    return not agency or codes.normal(question.agency_code) is None or codes.covers((agency,), question.agency_code)


def _read(path: Path) -> str:
    try:
        found = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path}: {error}") from None
    if not found.strip():
        raise ConfigError("text-file", "the answer is empty")
    return found.strip()


async def _list(settings: Settings, name: str, kind: Kind) -> list[Question]:
    async with opened(make_portal(await subscribers.get(settings, name), vault(settings))) as portal:
        if portal is None:
            raise _no_call(name)
        return await portal.questions(kind)


async def _answer(settings: Settings, name: str, given: QuestionReply, replace: bool, why: str) -> Answer | None:
    """Whatever comes of it, the audit tells."""
    target = Target(kind="question", name=f"{name} {given.question}")
    async with acting(settings, audit.this_operator(why), "question.answer", target):
        return await _send(settings, await subscribers.get(settings, name), given, replace)


async def _send(settings: Settings, subscriber: Subscriber, given: QuestionReply, replace: bool) -> Answer | None:
    """The question must stand in the list: it says which agency it was put to."""
    async with opened(make_portal(subscriber, vault(settings))) as portal:
        if portal is None:
            raise _no_call(subscriber.name)
        asked = next((one for one in await portal.questions("citizens") if one.id == given.question), None)
        if asked is None:
            raise Rejected("unknown", f"{subscriber.name} lists no question {given.question!r}")
        return await portal.answer_question(dataclasses.replace(given, agency_code=asked.agency_code), replace)


def _no_call(name: str) -> Rejected:
    return Rejected("unsupported", f"{name} has no calls for questions")
