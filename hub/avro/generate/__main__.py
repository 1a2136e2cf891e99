"""`make records`: writes the made files anew, and takes away what is no longer made."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from hub.avro.generate.made import FOLDERS, made_files


def main() -> None:
    home = Path(__file__).parents[1]
    with resources.as_file(resources.files("hub_schemas")) as folder:
        files = made_files(folder)
    for inner in FOLDERS:
        for path in (home / inner).glob("*.py"):
            path.unlink()
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
