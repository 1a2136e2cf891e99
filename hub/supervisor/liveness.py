"""A role that hangs without dying: its `/live` is asked again and again, and it is told apart from one that is busy.

Counted are asks without an answer, not seconds: if the supervisor itself was frozen or starved, one ask failed and not
an hour passed. A role is watched from its first `/ready` on: a start may take as long as it takes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from hub.supervisor.role_process import Child
from hub.web.own_calls import trust


@dataclass(frozen=True, slots=True)
class Patience:
    """every_s: between two asks. answer_s: for one answer: a busy role answers late, but it answers.

    silent: asks in a row without any answer (process frozen, loop blocked) that make it hang; 90 s and more.
    stuck:  answers in a row that say *not live* (the loop turns, its work does not); more, for such work may be slow.
    """

    every_s: float = 5.0
    answer_s: float = 10.0
    silent: int = 9
    stuck: int = 60


async def until_it_hangs(child: Child, patience: Patience) -> str:
    """Returns, with the reason, when the role must be taken to hang; else never. `child.misses` counts meanwhile."""
    child.misses = silent = 0
    verify = trust(child.settings.doors)
    async with httpx.AsyncClient(timeout=patience.answer_s, trust_env=False, verify=verify) as client:
        while True:
            await asyncio.sleep(patience.every_s)
            said = await _ask(client, child)
            silent = silent + 1 if said is None else 0
            child.misses = child.misses + 1 if said is None or said else 0
            if silent >= patience.silent:
                return f"hangs: no answer to {silent} asks of /live, {patience.answer_s:.0f} s each"
            if child.misses >= patience.stuck:
                return f"hangs: {child.misses} times in a row it was not live; last: {said or 'no answer'}"


async def _ask(client: httpx.AsyncClient, child: Child) -> str | None:
    """ "" if it is live, what is wrong if it says so, None without an answer."""
    address = child.observe
    if address is None:
        return ""  # it ends, or has just begun anew: its process tells
    try:
        answer = await client.get(f"{address}/live")
        if answer.status_code == 200:
            return ""
        wrong = [text for text in answer.json()["checks"].values() if not text.startswith("ok")]
        return "; ".join(wrong) or f"HTTP {answer.status_code}"
    except httpx.HTTPError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {answer.status_code}"
