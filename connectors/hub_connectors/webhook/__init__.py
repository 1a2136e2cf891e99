"""The province's own portal: webhooks after the Standard Webhooks specification."""

from hub_connectors.webhook.portal import ProvincialPortal, portal

__all__ = ["ProvincialPortal", "portal"]
