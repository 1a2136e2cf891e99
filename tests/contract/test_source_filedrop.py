"""The file drop keeps the contract of a source."""

from __future__ import annotations

from pathlib import Path

from hub.connect.source import Source
from tests.contract.source_suite import SourceContract, SourceSite
from tests.support.file_drop import Site

MAPPING = 'source = "s"\n[columns]\n"Mã" = "dossier_code"\n"Bước" = "step"\n"Lúc" = "occurred_at"\n'


class DropSite(SourceSite):
    events = 7

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder, MAPPING)

    def fill(self) -> None:
        for name, numbers in (("a", range(4)), ("b", range(4, 7))):
            rows = [f"H11.12-111011-{n:04d},RECEIVED,11/10/2011" for n in numbers]
            (self.site.folder / f"{name}.csv").write_text("\n".join(["Mã,Bước,Lúc", *rows]), "utf-8")

    def source(self) -> Source:
        return self.site.source()


class TestFileDrop(SourceContract):
    def site(self, folder: Path) -> SourceSite:
        return DropSite(folder)
