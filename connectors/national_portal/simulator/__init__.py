"""A simulator of the national portal: `hub simulate national-portal` (domain notes part 5)."""

from connectors.national_portal.simulator.command import main

__all__ = ["main"]
