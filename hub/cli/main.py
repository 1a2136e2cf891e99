"""`hub COMMAND …`: finds the command's module and runs it; only that module is imported, so `hub run core` starts fast.

Each module of this folder named below has a typer `app`. Errors end here: one sentence on stderr and the code of
hub.exit_codes; a traceback only for a fault of the program.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Sequence
from typing import NoReturn

from hub import exit_codes
from hub.errors import HubError

COMMANDS = {
    "run": ("hub.cli.run", "run one role in this process"),
    "up": ("hub.cli.up", "run all roles under one supervisor"),
    "status": ("hub.cli.status", "what runs, and how each connection is"),
    "check-config": ("hub.cli.check_config", "check every setting and show what is in force"),
    "doctor": ("hub.cli.doctor", "look for what is wrong with this hub and its surroundings"),
    "topics": ("hub.cli.topics", "Kafka topics: ensure, list, acls"),
    "trace": ("hub.cli.trace", "one dossier's way through every hop"),
    "subscribers": ("hub.cli.subscribers", "who receives events: add, list, show, pause, resume, remove"),
    "secrets": ("hub.cli.secrets", "the key that seals subscribers' secrets: init, status, seal, rotate-key"),
    "organisations": ("hub.cli.organisations", "who publishes; their keys and rights"),
    "dead-letters": ("hub.cli.dead_letters", "what could not be used: list, show, replay"),
    "acts": ("hub.cli.acts", "long acts of operators: list, show, cancel, resume"),
    "catalogue": ("hub.cli.catalogue", "procedures and online services: compare with the national list, coverage"),
    "satisfaction": ("hub.cli.satisfaction", "ratings of a month, summed up and sent to the national portal"),
    "questions": ("hub.cli.questions", "what citizens asked on a portal, and the answers that go back"),
    "rebuild": ("hub.cli.rebuild", "build the SQL read model anew from Kafka"),
    "audit": ("hub.cli.audit", "what operators did, and what was refused"),
    "figures": ("hub.cli.figures", "a month in figures and the QĐ 766 score, each number open to its dossiers"),
    "generate": ("hub.cli.generate", "events of a made-up province, as many as wanted"),
    "simulate": ("hub.cli.simulate", "run the simulator of an outside system"),
    "demo": ("hub.cli.demo", "the main job, end to end, on real input"),
}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code (hub.exit_codes)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        _help()
        sys.exit(exit_codes.OK if words else exit_codes.USAGE)
    if words[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(version("hub"))
        sys.exit(exit_codes.OK)
    sys.exit(_run(words[0], words[1:]))


def _run(name: str, words: list[str]) -> int:
    if name not in COMMANDS or importlib.util.find_spec(COMMANDS[name][0]) is None:
        print(f"hub: there is no command {name!r}; see `hub --help`", file=sys.stderr)
        return exit_codes.USAGE
    # The error itself is told below; without a log set up, aiokafka's own lines would only repeat it.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    module = importlib.import_module(COMMANDS[name][0])
    try:
        module.app(args=words, prog_name=f"hub {name}")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else exit_codes.FAILED if ended.code else exit_codes.OK
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except HubError as error:
        print(f"hub {name}: {error}", file=sys.stderr)
        return exit_codes.code(error)
    except Exception as error:
        if exit_codes.code(error) != exit_codes.NOT_NOW:
            raise
        print(f"hub {name}: Kafka is away: {error}", file=sys.stderr)
        return exit_codes.NOT_NOW
    return exit_codes.OK


def _help() -> None:
    print("usage: hub COMMAND [OPTIONS]\n\nThe province's integration hub. `hub COMMAND --help` tells more.\n")
    width = max(map(len, COMMANDS))
    for name, (_module, meaning) in COMMANDS.items():
        print(f"  {name:<{width}}  {meaning}")
    print("\nSettings come from HUB_… variables and hub.toml; `hub check-config` shows them.")
    print("Exit codes: 0 done, 1 failed, 2 usage or setting, 3 cannot start, 75 not now, 130 interrupted.")
