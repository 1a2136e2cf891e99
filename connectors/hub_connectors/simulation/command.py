"""The command line that every simulator has: where to listen, where to keep, how to fail."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pydantic import ValidationError

from hub.errors import ConfigError
from hub_connectors.simulation.faults import FAULTS, FaultOrder, FaultPlan


def parser(name: str, port: int, about: str) -> argparse.ArgumentParser:
    """Options shared by all; the portal's own are added by the caller."""
    faults = "; ".join(f"{kind}: {meaning}" for kind, meaning in FAULTS.items())
    out = argparse.ArgumentParser(
        prog=f"hub simulate {name}",
        description=f"{about} Steer it at run time by /_admin/faults, /_admin/down and /_admin/up.",
        epilog=f"Faults: {faults}.",
    )
    out.add_argument("--host", default="127.0.0.1")
    out.add_argument("--port", type=int, default=port, help="0: any free port; the address is printed (%(default)s)")
    out.add_argument("--database", type=Path, default=Path(f"var/simulators/{name}.sqlite"), help="%(default)s")
    out.add_argument(
        "--faults", default="", help="kinds, parted by commas, or a JSON object as for POST /_admin/faults"
    )
    out.add_argument("--fault-rate", type=float, default=0.0, help="share of calls that meet a fault, 0 to 1")
    out.add_argument("--seed", type=int, default=1, help="of the faults' draw: the same seed, the same draw")
    out.add_argument("--hang-s", type=float, default=60.0, help="length of the fault hang (%(default)s s)")
    out.add_argument("--retry-after-s", type=int, default=1, help="Retry-After of a 429 (%(default)s s)")
    return out


def plan_of(args: argparse.Namespace) -> FaultPlan:
    """The fault plan that the options describe; ConfigError names the wrong one."""
    plan = FaultPlan(seed=args.seed)
    try:
        if args.faults.lstrip().startswith("{"):
            plan.order(FaultOrder(hang_s=args.hang_s, retry_after_s=args.retry_after_s, rate=args.fault_rate))
            plan.order(FaultOrder.model_validate(json.loads(args.faults)))
        else:
            kinds = tuple(kind.strip() for kind in args.faults.split(",") if kind.strip())
            plan.order(
                FaultOrder(kinds=kinds, rate=args.fault_rate, hang_s=args.hang_s, retry_after_s=args.retry_after_s)
            )
    except ValidationError as error:
        raise ConfigError("--faults", error.errors()[0]["msg"]) from None
    except ValueError as error:
        raise ConfigError("--faults", f"is no JSON: {error}") from None
    return plan
