"""Runs Chromium without a window on a page."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path


async def browse(chromium: str, tmp_path: Path, url: str, *more: str) -> str:
    """The page's DOM after layout, or what `more` asks of Chromium."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update", "--hide-scrollbars"]  # fmt: skip
    command = [chromium, *flags, f"--user-data-dir={tmp_path / 'profile'}", *(more or ["--dump-dom"]), url]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout
