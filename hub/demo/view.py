"""What a person sees of the demo: bars while it runs, a table at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

BARS = {
    "handed": "handed in by the agencies",
    "accepted": "accepted and numbered",
    "national": "shown by the national portal",
    "provincial": "received by the provincial portal",
    "dead": "dead letters (planted)",
    "filed": "filed on the national portal",
    "catalogue": "procedures in the national list",
}
WIDTH = 100
"""Width of lines that go to a file or a pipe."""
LINE_EVERY = 25
"""Without a terminal one line of figures every so many updates."""


class View:
    """Bars on a terminal; plain lines elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        if not self.console.is_terminal:
            self.console.width = max(self.console.width, WIDTH)
        columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._columns = columns
        self._progress = Progress(*columns, console=self.console, disable=True)
        self._tasks: dict[str, TaskID] = {}
        self._updates = 0

    def say(self, sentence: str) -> None:
        self.console.print(Text(sentence), soft_wrap=True)

    def open(self, totals: Mapping[str, int]) -> None:
        """Bars for these; what was shown before stays above them."""
        self._progress = Progress(*self._columns, console=self.console, disable=not self.console.is_terminal)
        self._progress.start()
        self._tasks = {name: self._progress.add_task(BARS[name], total=total) for name, total in totals.items()}
        self._updates = 0

    def show(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            self._progress.update(self._tasks[name], completed=count)
        if not self.console.is_terminal and self._updates % LINE_EVERY == 0:
            self.say("  ".join(f"{name} {count}" for name, count in counts.items()))
        self._updates += 1

    def close(self) -> None:
        self._progress.stop()

    def table(self, report: Mapping[str, Any], wrong: Sequence[str]) -> None:
        """The closing tables and the verdict."""
        table = Table(title="the main job, on real input", title_justify="left", show_header=False)
        for name, value in report.items():
            if name != "province":
                table.add_row(name, Text(_cell(value)))
        self.console.print(table)
        if "province" in report:
            self.console.print(province(report["province"]))
        for sentence in wrong:
            self.console.print(Text(f"✗ {sentence}", style="red"), soft_wrap=True)
        if not wrong:
            self.console.print(Text("✓ nothing missing, nothing out of order, dead letters as planted", "green"))
            if "province" in report:
                self.console.print(Text("✓ the generated province is shown as it was sent", "green"))


def province(part: Mapping[str, Any]) -> Table:
    """A line for each slice."""
    title = f"the generated province: {part['events']} events, {part['elapsed_s']} s"
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(justify="right")
    table.add_column(min_width=24)
    for entry in part.values():
        if isinstance(entry, Mapping):
            mark = Text("✗", "red") if entry["wrong"] else Text("✓", "green")
            table.add_row(str(entry["slice"]), f"{entry['title']}\n{entry['tieu_de']}", Text(entry["shown"]), mark)
    return table


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return "  ".join(f"{name} {inner}" for name, inner in value.items())
    if isinstance(value, list):
        return "\n".join(f"{k['role']}: exit {k['exit_status']}, {k['unfinished']} chunks or calls cut off, "
                         f"back after {k['back_after_s']} s" for k in value)  # fmt: skip
    return str(value)
