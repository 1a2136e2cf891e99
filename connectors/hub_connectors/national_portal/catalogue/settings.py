"""Settings of the source `national-catalogue` (`sources` in hub.toml or HUB_SOURCES); the connection itself is that of
the subscriber, so that address, user and password stand in one place."""

from __future__ import annotations

from pydantic import Field, ValidationError, field_validator

from hub.connect.subscriber_settings import ConnectorSettings
from hub.errors import ConfigError
from hub.model.deadlines import UNITS

NAME = "national-catalogue"


class CatalogueSettings(ConnectorSettings):
    """`{}` takes every default."""

    subscriber: str = Field("", description="of kind national-portal; empty: the only one")
    poll_s: float = Field(3_600.0, gt=0, description="a round begins so long after the last one ended")
    retry_s: float = Field(60.0, gt=0, description="a round that failed is tried again after so long")
    detail_every_s: float = Field(
        86_400.0, ge=0, description="LayThuTuc of an entry whose row in the list is unchanged"
    )
    max_missing: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of the known entries that may vanish at once; more: the list is cut, refused",
    )
    batch: int = Field(200, ge=1, le=1_000, description="entries after which the cursor moves")
    references: tuple[str, ...] = Field(
        ("LayDanhMucCoQuan", "LayDanhMucLinhVuc", "LayDanhMucCapThucHien", "LayDanhMucLePhi"),
        description="short catalogues, kept as JSON beside the cursor",
    )
    form_hosts: tuple[str, ...] = Field(
        (), description="hosts from which forms are fetched for their SHA-256; empty: none are"
    )
    form_max_bytes: int = Field(20_000_000, ge=1, description="a longer form has no hash")
    form_timeout_s: float = Field(30.0, gt=0, description="of one form")
    check_agencies: bool = Field(True, description="MACOQUANCONGBO must stand in LayDanhMucCoQuan")
    channel: str = Field("national-portal", description="name of the portal in a service's channels")
    time_units: dict[str, str] = Field(
        default_factory=dict, description="words of DONVITINH besides Giờ, Ngày, Ngày làm việc, Tháng: to one of these"
    )
    public_codes: tuple[str, ...] = Field(("1", ""), description="TRANGTHAI of a procedure that is public")
    level_field: str = Field("", description="field of LayDVC with mức độ 1 to 4; no public source names one")
    kind_field: str = Field("", description="field of LayDVC with toàn trình or một phần; no public source names one")

    @field_validator("time_units")
    @classmethod
    def _units(cls, value: dict[str, str]) -> dict[str, str]:
        for word, unit in value.items():
            if unit not in UNITS:
                raise ValueError(f"{word}: must be one of {', '.join(UNITS)}; got {unit!r}")
        return value


def read(given: dict[str, object]) -> CatalogueSettings:
    """ConfigError names the wrong field."""
    try:
        return CatalogueSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("sources", NAME, *first["loc"]))
        raise ConfigError(place, first["msg"]) from None
