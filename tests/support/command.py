"""`hub …` as a process of its own, as an operator or a script calls it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from hub.config import Settings
from hub.supervisor.environment import variables


async def hub(settings: Settings, *words: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr), within a minute; stdin is empty."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", *words, env=variables(settings), cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
