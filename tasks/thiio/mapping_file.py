"""The mapping file: what an installation of Thiio calls things, and what the `api` connection cannot read.

YAML, named by `ULTRATHIIO_THIIO__MAPPING_FILE`. All keys are optional:

    tables: {customers: crm.contacts}                  # our name: the database's, with its schema if need be
    columns: {customers: {email: email_address}}       # our name: the database's
    status_words: {open: unpaid, done: completed, …}   # Thiio's word: ours; replaces the default list
    payment_methods: {Visa: Credit Card}               # Thiio's word: UltraCart's name of the way to pay
    shipping_methods: {Express: "UPS: Next Day Air"}   # Thiio's word: UltraCart's name of the way to ship
    item_id_key: uc_item                               # metadata key of the UltraCart item ID
    products: [{id: 301, name: Bone, metadata: {uc_item: BONE}}]                             # `api` only
    gateways: [{id: 1, name: Stripe, gateway_code: STRIPE1, payment_methods_store: true}]    # `api` only
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from tasks.errors import SetupError
from tasks.records.item_rules import ItemKeys
from tasks.records.models import Gateway, OrderStatus, Product, Side
from tasks.settings import ThiioSettings, variable_name
from tasks.thiio.database.schema import build_tables
from tasks.thiio.words import DEFAULT_STATUS_WORDS, Words

VARIABLE = variable_name(("thiio", "mapping_file"))


def _as_text(value: Any) -> Any:
    # YAML reads an unquoted id, 301, as a number.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


TableName = Literal["customers", "orders", "order_lines", "products", "product_metadata", "gateways"]
IdText = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MappedProduct(_Part):
    """A product of Thiio, for the `api` connection."""

    id: IdText
    name: str | None = None
    is_active: bool = True
    is_sold: bool = True
    metadata: dict[Name, IdText] = Field(default_factory=dict)

    def as_product(self) -> Product:
        """Give it as a record."""
        return Product(side=Side.THIIO, **self.model_dump())


class MappedGateway(_Part):
    """A gateway of Thiio, for the `api` connection."""

    id: IdText
    name: str | None = None
    gateway_code: IdText | None = None
    is_active: bool = True
    payment_methods_store: bool | None = None

    def as_gateway(self) -> Gateway:
        """Give it as a record."""
        return Gateway(side=Side.THIIO, **self.model_dump())


class ThiioMapping(_Part):
    """A mapping file that was read; without arguments, what holds without a file."""

    tables: dict[TableName, Name] = Field(default_factory=dict)
    columns: dict[TableName, dict[Name, Name]] = Field(default_factory=dict)
    status_words: dict[str, OrderStatus] = Field(default_factory=lambda: dict(DEFAULT_STATUS_WORDS))
    payment_methods: dict[Name, Name] = Field(default_factory=dict)
    shipping_methods: dict[Name, Name] = Field(default_factory=dict)
    item_id_key: Name | None = None
    products: tuple[MappedProduct, ...] = ()
    gateways: tuple[MappedGateway, ...] = ()

    @field_validator("columns")
    @classmethod
    def _know_columns(cls, columns: dict[TableName, dict[str, str]]) -> dict[TableName, dict[str, str]]:
        ours = build_tables().by_our_name()
        for table, names in columns.items():
            for name in names:
                if name not in ours[table].c:
                    known = ", ".join(ours[table].c.keys())
                    raise ValueError(f"{table} has no column {name!r}; its columns are {known}")
        return columns

    @field_validator("status_words")
    @classmethod
    def _cover_every_status(cls, words: dict[str, OrderStatus]) -> dict[str, OrderStatus]:
        missing = [status for status in OrderStatus if status not in words.values()]
        if missing_known := [status.value for status in missing if status is not OrderStatus.UNKNOWN]:
            raise ValueError(f"no word means {', '.join(missing_known)}; name one word for each status")
        return {word.strip().casefold(): status for word, status in words.items()}

    @field_validator("payment_methods", "shipping_methods")
    @classmethod
    def _fold_words(cls, words: dict[str, str]) -> dict[str, str]:
        return {word.strip().casefold(): name.strip() for word, name in words.items()}

    @field_validator("products", "gateways")
    @classmethod
    def _keep_ids_apart(cls, things: tuple[Any, ...]) -> tuple[Any, ...]:
        ids = [thing.id for thing in things]
        if twice := sorted({id for id in ids if ids.count(id) > 1}):
            raise ValueError(f"id {', '.join(twice)} is listed twice; keep one")
        return things

    @property
    def words(self) -> Words:
        """Give what agents' words mean."""
        return Words(self.status_words, self.payment_methods, self.shipping_methods)

    def item_keys(self, settings: ThiioSettings) -> ItemKeys:
        """Give the keys of a product's metadata that say which item it is."""
        return ItemKeys(self.item_id_key or settings.item_id_key, settings.quantity_key)


def load_mapping(path: Path | None) -> ThiioMapping:
    """Read the mapping file, or give the defaults if there is none.

    Raises `SetupError` naming each field, its value and what it may be.
    """
    if path is None:
        return ThiioMapping()
    try:
        return ThiioMapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except OSError as error:
        raise SetupError(f"{VARIABLE}: {path} cannot be read ({error.strerror}).") from error
    except yaml.YAMLError as error:
        raise SetupError(f"{VARIABLE}: {path} is not YAML: {error}. Correct the file.") from error
    except ValidationError as error:
        problems = "; ".join(_problem(details) for details in error.errors())
        raise SetupError(f"{VARIABLE}: {path} cannot be used: {problems}. Correct the file.") from error


def _problem(details: ErrorDetails) -> str:
    place = ".".join(str(part) for part in details["loc"] if part != "[key]") or "the file"
    message = details["msg"].removeprefix("Value error, ")
    value = details["input"]
    shown = "" if isinstance(value, dict | list) else f" ({value!r})"
    return f"{place}{shown}: {message}"
