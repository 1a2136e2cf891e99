"""`hub doctor`: looks for what is wrong with this hub and its surroundings; changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import typer

from hub import config, exit_codes
from hub.admin.checks import Finding, all_checks
from hub.cli import output
from hub.config import Settings

app = typer.Typer(add_completion=False)

_WORDS = {True: "ok", False: "WRONG", None: "unknown"}


@app.command()
def doctor(as_json: output.Json = False) -> None:
    """Check disk, Java, jars, folders, Kafka, topics, lag, registry, every role. Exit code 1 if anything is wrong."""
    findings = asyncio.run(_collect(config.load()))
    if as_json:
        output.print_json([asdict(finding) for finding in findings])
    else:
        rows = [(finding.what, _WORDS[finding.ok], finding.sentence) for finding in findings]
        output.print_table("Doctor", ("what", "", "finding"), rows)
    raise typer.Exit(exit_codes.FAILED if any(finding.ok is False for finding in findings) else exit_codes.OK)


async def _collect(settings: Settings) -> list[Finding]:
    return [finding async for finding in all_checks(settings)]
