"""The national public-service portal (Cổng Dịch vụ công quốc gia): adapter contract of domain notes 1.3 to 1.9."""

from connectors.national_portal.portal import NationalPortal, portal

__all__ = ["NationalPortal", "portal"]
