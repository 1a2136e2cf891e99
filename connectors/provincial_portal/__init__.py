"""The province's own portal: webhooks after the Standard Webhooks specification."""

from connectors.provincial_portal.portal import ProvincialPortal, portal

__all__ = ["ProvincialPortal", "portal"]
