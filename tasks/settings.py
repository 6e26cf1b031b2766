"""Every knob, with its unit and default; read by `load_settings()`, never at import.

Values come from, first to last: environment variables (`ULTRATHIIO_…`, nested names joined by `__`), a
`.env` file in the working directory, and files in the folder that `ULTRATHIIO_SECRETS_DIR` names (one value
a file, as Docker and Kubernetes mount secrets). `deployments/example.env` shows all of them.
"""

from __future__ import annotations

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from tasks.errors import SetupError

PREFIX = "ULTRATHIIO_"
PATH_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}")


class ThiioConnection(StrEnum):
    """How the Thiio side is reached."""

    DATABASE = "database"
    API = "api"


class TaskRunnerKind(StrEnum):
    """Where the parts of a large comparison run."""

    THREADS = "threads"
    DASK = "dask"


class UltraCartSettings(BaseModel):
    """The UltraCart store."""

    base_url: str = Field("https://secure.ultracart.com/rest/v2", description="REST v2 root, no slash at end")
    simple_key: SecretStr = Field(SecretStr(""), description="API key (header x-ultracart-simple-key)")
    merchant_id: str = Field("", max_length=5, description="Merchant ID, up to 5 upper-case characters")
    channel_partner_code: str = Field(
        "", max_length=10, description="Code of the Custom Channel Partner that the key belongs to"
    )
    timeout_seconds: float = Field(30.0, gt=0, le=300, description="Longest wait for one answer")
    read_attempts: int = Field(4, ge=1, le=10, description="Tries of one read before the run gives up")
    calls_per_hour: int = Field(1_000, ge=1, description="Limit of this key; UltraCart's default")
    calls_per_day: int = Field(10_000, ge=1, description="Limit of this key; UltraCart's default")
    webhook_url: str = Field("", description="Public address of the receiver, as registered at UltraCart")


class ThiioSettings(BaseModel):
    """The Thiio CRM."""

    connection: ThiioConnection = Field(
        ThiioConnection.DATABASE,
        description="`database` (SQL on the CRM's tables) or `api` (documented HTTP)",
    )
    database_url: SecretStr = Field(SecretStr(""), description="SQLAlchemy URL of the CRM's database")
    base_url: str = Field("", description="Account host, e.g. https://<name>.thiio.io")
    email: str = Field("", description="Login of the API user")
    password: SecretStr = Field(SecretStr(""), description="Password of the API user")
    inbound_webhook_url: str = Field("", description="Address of Thiio's generic inbound webhook")
    webhook_url: str = Field("", description="Public address of the receiver, for Thiio's events")
    item_id_key: str = Field(
        "ultracart_item_id", description="Key of a product's metadata that holds the UltraCart item ID"
    )
    quantity_key: str = Field(
        "ultracart_quantity", description="Key of a product's metadata: how many of the item one of it is"
    )
    mapping_file: Path | None = Field(
        None, description="YAML file naming tables, columns, status words; `api`: products and gateways too"
    )
    timeout_seconds: float = Field(30.0, gt=0, le=300, description="Longest wait for one answer")


class ReceiverSettings(BaseModel):
    """The web server that takes webhooks."""

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8088, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    username: str = Field("", description="HTTP Basic user that senders give")
    password: SecretStr = Field(SecretStr(""), description="HTTP Basic password that senders give")
    previous_password: SecretStr = Field(
        SecretStr(""), description="Password that is taken as well while senders change to the new one"
    )
    path_token: SecretStr = Field(
        SecretStr(""),
        description="If set, webhooks are taken only at /webhooks/<system>/<token>",
    )
    reader_username: str = Field("", description="HTTP Basic user of /notifications; empty: the senders'")
    reader_password: SecretStr = Field(SecretStr(""), description="HTTP Basic password of /notifications")
    tls_certificate: Path | None = Field(None, description="PEM file of the certificate with its chain")
    tls_key: Path | None = Field(None, description="PEM file of its key, without passphrase")
    trusted_proxies: str = Field(
        "", description="Addresses of proxies whose X-Forwarded-For is believed, joined by commas"
    )
    max_body_bytes: int = Field(6_000_000, ge=10_000, description="Largest body, also after decompression")
    queue_size: int = Field(1_000, ge=1, description="Deliveries waiting for a commit before senders get 503")
    deliveries_a_commit: int = Field(256, ge=1, description="Most deliveries that share one commit")
    max_held_bytes: int = Field(
        64_000_000, ge=1_000_000, description="Deliveries in memory before senders get 503"
    )
    max_connections: int = Field(500, ge=1, description="Open connections; the longest idle gives way")
    head_seconds: float = Field(10.0, gt=0, le=300, description="Longest wait for a request's head")
    body_seconds: float = Field(20.0, gt=0, le=300, description="Longest wait for a request's body")
    log_format: Literal["text", "json"] = Field(
        "text", description="`json`: one object a line, for collectors"
    )

    @field_validator("path_token")
    @classmethod
    def _check_token(cls, token: SecretStr) -> SecretStr:
        if token.get_secret_value() and not PATH_TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("use 16 or more letters, digits, - or _, or leave it empty")
        return token


class InboxSettings(BaseModel):
    """How events are worked off."""

    lease_seconds: int = Field(300, ge=5, description="A worker that is silent for longer loses its events")
    max_attempts: int = Field(
        12, ge=1, le=50, description="Tries before an event becomes a dead letter; twelve take about 14 hours"
    )
    retry_base_seconds: float = Field(
        30.0, gt=0, description="Wait after the first failure; doubles each time"
    )
    retry_cap_seconds: float = Field(21_600.0, gt=0, description="Longest wait between two tries")
    pause_seconds: float = Field(
        60.0, ge=1, description="Wait of all events while Thiio, our database or the set-up is in trouble"
    )
    payload_retention_days: int = Field(
        30, ge=1, description="What a closed event brought is deleted after this many days"
    )
    retention_days: int = Field(90, ge=1, description="Closed events and notifications, after this many days")
    dead_retention_days: int = Field(
        0, ge=0, description="Dead letters, after this many days; 0 keeps them until a person acts"
    )
    gap_grace_minutes: int = Field(
        30, ge=0, description="So long UltraCart's own retry may bring a delivery before it counts as lost"
    )
    gap_tolerance_minutes: int = Field(5, ge=0, description="So far UltraCart's clock and ours may differ")
    gap_first_days: int = Field(3, ge=1, le=60, description="Reach of the first search for lost deliveries")


class ReconcileSettings(BaseModel):
    """How the two sides are compared."""

    total_tolerance_cents: int = Field(1, ge=0, description="Money differing by no more is equal")
    date_tolerance_minutes: int = Field(
        10, ge=1, description="Dates differing by no more are equal; a wrong time zone differs by more"
    )
    settle_minutes: int = Field(15, ge=0, description="Records younger than this are not yet mismatches")
    overlap_minutes: int = Field(30, ge=0, description="How far a watermark window reaches back")
    first_window_days: int = Field(30, ge=1, description="Reach of the first run, when no watermark exists")
    rejected_retention_days: int = Field(
        365, ge=1, description="UltraCart deletes rejected orders after this many days"
    )
    ultracart_owned_fields: list[str] = Field(
        [], description="JSON list of fields in which UltraCart is right: a repair may overwrite Thiio's"
    )
    thiio_owned_fields: list[str] = Field(
        [], description="JSON list of fields in which Thiio is right: told, to be corrected in UltraCart"
    )
    partitions: int = Field(1, ge=1, le=1_000, description="Parts of a window that are compared side by side")
    task_runner: TaskRunnerKind = Field(
        TaskRunnerKind.THREADS, description="What compares the parts: `threads` or `dask`"
    )
    dask_address: str = Field(
        "", description="Scheduler of a Dask cluster, e.g. tcp://host:8786; empty: a local one for each run"
    )

    @model_validator(mode="after")
    def _each_field_has_one_owner(self) -> ReconcileSettings:
        if both := sorted(set(self.ultracart_owned_fields) & set(self.thiio_owned_fields)):
            raise ValueError(f"{', '.join(both)} cannot be owned by both sides: name it in one list only")
        return self


class PushSettings(BaseModel):
    """How Thiio orders reach UltraCart."""

    partner_order_prefix: str = Field(
        "THIIO-", max_length=20, description="Thiio order 17 becomes partner order THIIO-17"
    )
    theme_code: str = Field(
        "",
        max_length=10,
        description="Theme code of the StoreFront that pushed orders belong to; empty: none",
    )
    max_age_days: int = Field(30, ge=1, description="Older unsynced orders are reported, not pushed")
    send_options: bool = Field(
        True, description="Options that an agent chose go to UltraCart with their item; false drops them"
    )
    lookup_wait_seconds: float = Field(2.0, ge=0, description="Wait before a doubtful push is looked up")
    lookup_attempts: int = Field(3, ge=1, description="Empty look-ups without which no push counts as lost")
    lookup_again_seconds: float = Field(
        60.0, ge=0, description="Wait after the first empty look-up; it doubles each time, up to an hour"
    )
    absence_minutes: float = Field(
        10.0, ge=0, description="Time since the sending without which no push counts as lost"
    )
    unclear_limit: int = Field(3, ge=1, description="Unclear answers after which a run sends no more")
    watch_days: int = Field(
        14, ge=0, description="So long a pushed order is compared with what was sent; 0 never"
    )


class ReportSettings(BaseModel):
    """Where reports go, and where what they name can be looked at."""

    folder: Path = Field(Path("ultrathiio-data/reports"), description="Folder of the reports' files")
    retention_days: int = Field(90, ge=1, description="Files of reports are deleted after this many days")
    ultracart_order_url: str = Field("", description="Address of an order in UltraCart, with {id} for its ID")
    thiio_order_url: str = Field("", description="Address of an order in Thiio, with {id} for its ID")
    notifications_url: str = Field("", description="Public address of the receiver, whose pages are linked")

    @field_validator("ultracart_order_url", "thiio_order_url", "notifications_url")
    @classmethod
    def _check_address(cls, address: str, info: ValidationInfo) -> str:
        if address and not address.startswith(("https://", "http://")):
            raise ValueError("start it with https://, or leave it empty")
        if address and info.field_name != "notifications_url" and "{id}" not in address:
            raise ValueError("write {id} where the order's ID belongs, or leave it empty")
        return address


class Settings(BaseSettings):
    """All settings; see `deployments/example.env`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        extra="ignore",
        secrets_dir_missing="ok",
    )

    database_url: SecretStr = Field(
        SecretStr("sqlite:///ultrathiio-data/ultrathiio.sqlite3"),
        description="SQLAlchemy URL of our tables: sqlite:///file or postgresql+psycopg://user:password@host/name",
    )
    default_region: str = Field(
        "US", min_length=2, max_length=2, description="Country of phone numbers without +"
    )
    ultracart: UltraCartSettings = Field(default_factory=UltraCartSettings)
    thiio: ThiioSettings = Field(default_factory=ThiioSettings)
    receiver: ReceiverSettings = Field(default_factory=ReceiverSettings)
    inbox: InboxSettings = Field(default_factory=InboxSettings)
    reconcile: ReconcileSettings = Field(default_factory=ReconcileSettings)
    push: PushSettings = Field(default_factory=PushSettings)
    report: ReportSettings = Field(default_factory=ReportSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let secret files name nested settings, as environment variables do."""
        nested_secrets = NestedSecretsSettingsSource(
            file_secret_settings, secrets_dir=os.environ.get(f"{PREFIX}SECRETS_DIR"), env_prefix=PREFIX
        )
        return init_settings, env_settings, dotenv_settings, nested_secrets


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from environment, `.env` and secret files; `overrides` win.

    Raises `SetupError` that names each wrong variable, and never shows a value.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [f"{variable_name(problem['loc'])}: {problem['msg']}" for problem in error.errors()]
        raise SetupError(
            "Settings cannot be used. " + "; ".join(lines) + ". See deployments/example.env."
        ) from None


def variable_name(location: tuple[int | str, ...]) -> str:
    """Give a setting's environment variable: ("receiver", "port") → ULTRATHIIO_RECEIVER__PORT."""
    return PREFIX + "__".join(str(part).upper() for part in location)


def require(value: str | SecretStr, *location: str) -> str:
    """Return a setting's text, or raise `SetupError` naming its variable if it is empty."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not text:
        raise SetupError(f"{variable_name(location)} is empty. Set it as deployments/example.env shows.")
    return text
