"""The national public-service portal (Cổng Dịch vụ công quốc gia, DVCQG): docs/field/portal.md."""

from hub_connectors.national_portal.portal import NationalPortal, portal

__all__ = ["NationalPortal", "portal"]
