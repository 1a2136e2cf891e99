"""All settings of the hub, from the environment (`HUB_…`, nested with `__`) and an optional `hub.toml`.

`HUB_KAFKA__BOOTSTRAP_SERVERS=broker:9092` sets `kafka.bootstrap_servers`. Secrets are `SecretStr`: never printed.
Units are in the names: `_s` seconds, `_ms` milliseconds, `_bytes` bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from hub.door_settings import ConsoleSettings as ConsoleSettings
from hub.door_settings import DoorSettings as DoorSettings
from hub.door_settings import GatewaySettings as GatewaySettings
from hub.door_settings import Port, Section
from hub.door_settings import RegistrySettings as RegistrySettings
from hub.errors import ConfigError
from hub.untyped import SettingsTable

SECRET_PREFIX = "HUB_SECRET_"
"""Variables that begin so are no settings: a subscriber's secret may name one (`env:HUB_SECRET_PORTAL`)."""


class KafkaSettings(Section):
    """Which cluster, and how to speak to it. No servers: the embedded broker."""

    bootstrap_servers: str | None = Field(None, description="host:port[,host:port]; empty: the embedded broker")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    ssl_check_hostname: bool = True
    replication_factor: int = Field(1, ge=1, le=9, description="3 on a cluster, 1 on the embedded broker")
    min_insync_replicas: int = Field(1, ge=1, le=9, description="2 on a cluster")
    partitions: int = Field(12, ge=1, le=1000, description="of every keyed hub topic; fixed at creation")
    session_timeout_ms: int = Field(10_000, ge=6_000)
    heartbeat_interval_ms: int = Field(3_000, ge=500)
    rebalance_timeout_ms: int = Field(30_000, ge=5_000)
    request_timeout_ms: int = Field(20_000, ge=1_000)

    @model_validator(mode="after")
    def _consistent(self) -> KafkaSettings:
        if self.security_protocol.startswith("SASL") and not (self.sasl_username and self.sasl_password):
            raise ValueError("security_protocol asks for SASL: sasl_username and sasl_password must be set")
        if self.heartbeat_interval_ms * 2 >= self.session_timeout_ms:
            raise ValueError("heartbeat_interval_ms must be less than half of session_timeout_ms")
        return self


class EmbeddedSettings(Section):
    """The embedded broker: one KRaft node on this machine."""

    port: Port = Field(19092, ge=0, le=65535, description="0: any free port")
    heap_mb: int = Field(512, ge=128)
    jars_url: str | None = Field(None, description="Maven mirror for the broker's jars; empty: Maven Central")
    sasl: bool = Field(
        True, description="a password (SCRAM) and rights for each role; false: whoever reaches the port may do anything"
    )


class ReadModelSettings(Section):
    """SQL projection, disposable: rebuilt from Kafka."""

    url: str | None = Field(None, description="SQLAlchemy URL; empty: SQLite in the data folder")


class CoreSettings(Section):
    """The core agent."""

    instance: str = Field("0", description="stable name of this replica (static membership)")
    chunk_records: int = Field(1_000, ge=1)
    store: Literal["memory", "disk"] = Field(
        "memory", description="where the dossiers' state is kept; disk: in the data folder, for more than memory holds"
    )
    fencing: Literal["lease", "transactions"] = Field(
        "lease",
        description="what keeps a core that was frozen from writing: a lease, or the broker, by a transaction a chunk "
        "(about 40 % slower); set it alike for all roles, they then read only what counts",
    )
    keep_steps: int = Field(16, ge=2, description="last steps per dossier kept for judging late events")
    online_services: Literal["off", "known", "strict"] = Field(
        "known",
        description="a dossier filed online for what is not offered online is a dead letter; known: where the "
        "catalogue knows the procedure's services, strict: everywhere",
    )


class DeadlineSettings(Section):
    """Working time, and when deadlines are told (docs/deadlines.md)."""

    hours: tuple[tuple[str, str], ...] = Field(
        (("07:00", "11:30"), ("13:30", "17:00")), description="working time of a day, local time"
    )
    hours_per_working_day: float | None = Field(None, gt=0, description="of the unit Ngày làm việc; empty: a full day")
    days_skip_holidays: bool = Field(False, description="the unit Ngày does not count public holidays")
    days_off_move_on: bool = Field(
        True, description="Ngày and Tháng that end on a day off end on the next working day; false: on that day"
    )
    pause: Literal["working-time", "calendar-days"] = Field("working-time", description="how waiting moves the date")
    warn_working_days: float = Field(1.0, gt=0, description="the warning comes so long before the deadline")
    catch_up_days: float = Field(30.0, gt=0, description="a deadline that is over for longer is not told any more")
    derive_due_at: bool = Field(
        False, description="a dossier without NgayHenTra gets the end of its procedure's longest time limit"
    )
    day_ends_at: str = Field(
        "24:00",
        pattern=r"^(0[1-9]|1\d|2[0-3]):[0-5]\d$|^24:00$",
        description="when a term ends whose last day a source tells without a time, local time",
    )
    tick_s: float = Field(1.0, gt=0)
    calendar_file: Path | None = Field(None, description="JSON with days off and worked; wins over what the hub knows")


class DeliverySettings(Section):
    """Shared by all delivery roles; a subscriber may override in its own settings."""

    workers: int = Field(16, ge=1, le=256)
    retry_base_s: float = Field(0.5, gt=0)
    retry_cap_s: float = Field(300.0, gt=0)
    max_attempts: int = Field(50, ge=1, description="then the event is a dead letter with reason `exhausted`")
    request_timeout_s: float = Field(30.0, gt=0)
    breaker_failures: int = Field(10, ge=1)
    breaker_open_s: float = Field(5.0, gt=0)
    probe_idle_s: float = Field(10.0, gt=0, description="probe the portal when there was no traffic for so long")
    drain_s: float = Field(10.0, gt=0, description="SIGTERM: finish or park within this time")


class ReconcileSettings(Section):
    """When an accepted, due event without receipt becomes MISSING, and how hard the hub heals."""

    missing_after_s: float = Field(60.0, gt=0)
    tick_s: float = Field(2.0, gt=0)
    max_heals_per_tick: int = Field(200, ge=1)
    reference_source: str = Field(
        "urn:vn:gov:dvcqg:catalogue", description="CloudEvents source whose catalogue the others are compared with"
    )


class FiguresSettings(Section):
    """Monthly figures and the score (docs/figures.md)."""

    national: str = Field("national", description="the subscriber that is the national portal, for the sync rate")
    agencies_file: Path | None = Field(None, description="the province's table of agencies; empty: the hub's own")
    rules_file: Path | None = Field(None, description="the score's points and formulas; empty: the hub's own")
    satisfaction: Literal["off", "day", "month"] = Field(
        "off", description="the projector sends the ratings of the month to `national`: each day, or when it is over"
    )
    satisfaction_hour: int = Field(6, ge=0, le=23, description="local hour from which they are sent")
    satisfaction_retry_s: float = Field(600.0, gt=0, description="after a failure")


class SecretSettings(Section):
    """Where the values of secrets come from, and the key that seals those in `hub.control` (docs/secrets.md)."""

    key_file: Path | None = Field(None, description="the hub's own key, outside Kafka; empty: data_dir/secrets.key")
    folder: Path | None = Field(None, description="`file:PATH` only below it; empty: data_dir/secrets")
    env_prefix: str = Field(
        SECRET_PREFIX, pattern="^[A-Z][A-Z0-9_]*_$", description="`env:NAME` only names that begin so"
    )


class AuditSettings(Section):
    """What operators did (docs/audit.md)."""

    keep_years: float = Field(5.0, ge=1, le=100, description="so long `hub.audit` keeps an entry")


class ObserveSettings(Section):
    """Each role serves /metrics, /live and /ready on its own port: base + the role's number."""

    host: str = "127.0.0.1"
    port_base: Port = Field(18100, ge=0, le=65000, description="0: any free port, written to the run folder")
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Settings(BaseSettings):
    """The whole. `load()` turns a validation error into one that names the field."""

    model_config = SettingsConfigDict(
        env_prefix="HUB_", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file="hub.toml"
    )

    profile: Literal["two-portals", "single-window"] = "two-portals"
    data_dir: Path = Path("var")
    kafka: KafkaSettings = KafkaSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()
    registry: RegistrySettings = RegistrySettings()
    doors: DoorSettings = DoorSettings()
    gateway: GatewaySettings = GatewaySettings()
    console: ConsoleSettings = ConsoleSettings()
    readmodel: ReadModelSettings = ReadModelSettings()
    core: CoreSettings = CoreSettings()
    deadlines: DeadlineSettings = DeadlineSettings()
    delivery: DeliverySettings = DeliverySettings()
    reconcile: ReconcileSettings = ReconcileSettings()
    figures: FiguresSettings = FiguresSettings()
    secrets: SecretSettings = SecretSettings()
    audit: AuditSettings = AuditSettings()
    observe: ObserveSettings = ObserveSettings()
    sources: dict[str, SettingsTable] = Field(
        default_factory=dict,
        description="settings of source connectors by name; one that needs any runs only with them",
    )
    inbound: dict[str, SettingsTable] = Field(
        default_factory=dict, description="settings of portals that call in, by name; each is open only with them"
    )
    filedrop_dir: Path | None = Field(None, description="folder watched by `source:filedrop`; empty: data_dir/drop")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def bootstrap(self) -> str:
        """The servers to speak to: the cluster's, or the embedded broker's."""
        return self.kafka.bootstrap_servers or f"127.0.0.1:{self.embedded.port}"

    @property
    def registry_url(self) -> str:
        return self.registry.url or f"{self.doors.scheme}://{self.registry.host}:{self.registry.port}"

    @property
    def run_dir(self) -> Path:
        """Small files of running roles (pid, port, health), one folder per hub."""
        return self.data_dir / "run"


def load(**overrides: object) -> Settings:
    """Read and check all settings. ConfigError names every wrong field, one a line."""
    known = {name.upper() for name in Settings.model_fields}
    for name in os.environ:
        ours = name.startswith("HUB_") and not name.startswith(SECRET_PREFIX)
        if ours and name[4:].split("__")[0] not in known | _OTHER_VARIABLES:
            raise ConfigError(name, f"no such setting; known: {', '.join(sorted(known)).lower()}")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = [(".".join(str(p) for p in e["loc"]), e["msg"]) for e in error.errors()]
        first, rest = wrong[0], wrong[1:]
        more = "".join(f"\n{field}: {message}" for field, message in rest)
        raise ConfigError(first[0], first[1] + more) from None


# Variables that belong to the tools around the hub, not to Settings.
_OTHER_VARIABLES = {"REQUIRE_ALL", "CACHE_DIR", "SUBSCRIBER_SECRET", "BUILD"}
