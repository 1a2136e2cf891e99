"""A simulator of the provincial portal: `hub simulate webhook`, a receiver of Standard Webhooks."""

from hub_connectors.webhook.simulator.command import main

__all__ = ["main"]
