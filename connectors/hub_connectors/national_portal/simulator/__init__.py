"""A simulator of the national portal: `hub simulate national-portal` (docs/field/portal.md#simulator)."""

from hub_connectors.national_portal.simulator.command import main

__all__ = ["main"]
