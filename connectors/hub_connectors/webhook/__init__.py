"""Delivers webhooks after the Standard Webhooks specification, as to the province's own portal."""

from hub_connectors.webhook.portal import WebhookPortal, portal

__all__ = ["WebhookPortal", "portal"]
