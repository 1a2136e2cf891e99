"""The province's own portal: webhooks after the Standard Webhooks specification."""

from hub_connectors.webhook.portal import WebhookPortal, portal

__all__ = ["WebhookPortal", "portal"]
