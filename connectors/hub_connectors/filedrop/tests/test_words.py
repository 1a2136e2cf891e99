"""Status words of the one-stop products, by hand from docs/field/statuses.md#products."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.avro.record import as_told
from hub.connect.source import Incoming, Refused
from hub.errors import ConfigError
from hub_connectors.filedrop.mapping import Mapping, load
from hub_connectors.filedrop.open_table import open_table
from hub_connectors.filedrop.rows import Converter
from hub_connectors.filedrop.words import names
from hub_connectors.national_portal.mapping import WireMapping
from hub_connectors.national_portal.settings import NationalPortalSettings
from tests.support.core import Core, record

# word: (TrangThaiHoSo that OpenCPS 3.0 sends, that TD sends); None: 11 or 0, which the national portal does not have.
TABLE = {
    "new": ("1", "2"),
    "receiving": ("2", "1"),
    "unresolved": ("3", "8"),
    "processing": ("4", "4"),
    "waiting": ("5", "5"),
    "paying": ("6", "6"),
    "cancelled": ("7", "7"),
    "denied": ("8", "3"),
    "releasing": ("9", "9"),
    "done": ("10", "10"),
    "interoperating": (None, None),
    "posting": (None, None),
}
COLUMNS = '[columns]\n"ma" = "dossier_code"\n"tt" = "step"\n"luc" = "occurred_at"\n'
PRODUCTS = {"opencps": 0, "td": 1}


def mapping(folder: Path, head: str, tail: str = "") -> Mapping:
    (folder / "mapping.toml").write_text(f'source = "s"\n{head}\n{COLUMNS}{tail}', "utf-8")
    return load(folder / "mapping.toml")


def convert(folder: Path, form: Mapping, word: str) -> Incoming | Refused:
    (folder / "x.csv").write_text(f"ma,tt,luc\nH11.12-260105-0001,{word},05/01/2026\n", "utf-8")
    table = open_table(folder / "x.csv", form.file)
    try:
        (row,) = table.rows(table.first)
        return Converter(form, table.columns, "x/x.csv").convert(row)
    finally:
        table.close()


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("word", TABLE)
def test_a_word_reaches_the_national_portal_as_the_code_that_the_product_sends(
    tmp_path: Path, product: str, word: str
) -> None:
    code = TABLE[word][PRODUCTS[product]]
    found = convert(tmp_path, mapping(tmp_path, f'words_from = "{product}"'), word)
    if code is None:
        assert isinstance(found, Refused)
        assert found.reason == "status"
        return
    assert isinstance(found, Incoming)
    core = Core()
    core.run(record(as_told(found.data), "e0"))
    settings = NationalPortalSettings(adapter_url="http://x", madonvi="H11", username="u")
    assert WireMapping(settings).line(core.events[0])["TrangThai"] == code


def test_both_tables_have_ten_words_each_and_there_is_no_other() -> None:
    assert names() == sorted(PRODUCTS)
    for product, column in PRODUCTS.items():
        sent = [code for codes in TABLE.values() if (code := codes[column])]
        assert sorted(sent, key=int) == [str(n) for n in range(1, 11)], product


def test_the_agency_s_own_words_win_and_add(tmp_path: Path) -> None:
    own = '[words.step]\n"denied" = "NOT_ACCEPTED"\n"interoperating" = "TRANSFERRED"\n'
    form = mapping(tmp_path, 'words_from = "opencps"', own)
    steps = {w: form.words["step"][w] for w in ("denied", "interoperating", "new")}
    assert steps == {"denied": "NOT_ACCEPTED", "interoperating": "TRANSFERRED", "new": "SUBMITTED"}


@pytest.mark.parametrize(
    ("head", "tail", "said"),
    [
        ('words_from = "igate"', "", "none of opencps, td"),
        ("words_from = 3", "", "words_from"),
        ('words_from = "td"', '[words]\nstep = "RECEIVED"\n', "words.step"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, head: str, tail: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        mapping(tmp_path, head, tail)
    assert said in str(caught.value)
