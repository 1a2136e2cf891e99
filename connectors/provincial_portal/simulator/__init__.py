"""A simulator of the provincial portal: `hub simulate provincial-portal`, a receiver of Standard Webhooks."""

from connectors.provincial_portal.simulator.command import main

__all__ = ["main"]
