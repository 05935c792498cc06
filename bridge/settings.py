"""Settings: of the process (from the environment) and of an instance (kept in the ledger).

Names are contracts with the operators; see the README for their meaning.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge.every import every_text, parse_every
from bridge.stock_routes import parse_routes

#: The ledger used when nothing else is said. Only embedded mode accepts it.
EMBEDDED_DATABASE_URL = "sqlite:///.bridge/ledger.db"
#: The broker used when nothing else is said. Only embedded mode accepts it.
EMBEDDED_BROKER_URL = "memory://"
#: Groups of a product's fields; each has one side as its master.
FieldGroup = Literal["identity", "text", "price", "images", "status"]
FIELD_GROUPS: tuple[FieldGroup, ...] = get_args(FieldGroup)
#: What the clock may do for an instance; ``consumers.beat`` says how often where nothing else is set.
SCHEDULED = (
    "import-orders",
    "import-customers",
    "import-products",
    "sweep-products",
    "import-categories",
    "import-stores",
    "export-products",
    "export-prices",
    "look-at-prices",
    "sweep-stock",
    "poll-stock",
    "export-stock",
    "drift",
)


class Settings(BaseSettings):
    """Settings of this process, from ``BRIDGE_*`` variables or a ``.env`` file."""

    model_config = SettingsConfigDict(
        env_prefix="BRIDGE_", env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    #: SQLAlchemy URL of the ledger; a plain ``postgresql://`` is taken with the psycopg driver.
    database_url: str = EMBEDDED_DATABASE_URL
    #: AMQP URL of the broker.
    broker_url: str = EMBEDDED_BROKER_URL
    #: Comma-separated secret keys; the first one encrypts, all of them decrypt.
    secret_key: SecretStr | None = None
    log_format: Literal["text", "json"] = "text"
    console_host: str = "127.0.0.1"
    console_port: int = Field(default=8600, ge=0, le=65535)
    hooks_host: str = "127.0.0.1"
    hooks_port: int = Field(default=8601, ge=0, le=65535)
    #: Addresses or networks of proxies whose forwarding headers are believed, comma-separated.
    trusted_proxies: str = ""
    #: Networks, beyond public ones, that instances may be reached in, comma-separated.
    allow_networks: str = ""
    #: Length of one backoff unit; a minute, shorter in tests and the demo.
    backoff_unit_seconds: float = Field(default=60.0, gt=0)
    #: How long a worker may hold a job without renewing its lease.
    lease_seconds: float = Field(default=60.0, gt=0)
    #: How often the dispatcher looks for due work when nothing wakes it.
    dispatch_interval_seconds: float = Field(default=1.0, gt=0)
    #: Threads that run jobs in one worker process.
    worker_threads: int = Field(default=16, ge=1, le=256)

    @property
    def is_embedded(self) -> bool:
        """Whether the ledger or the broker is one of the embedded defaults."""
        return self.database_url == EMBEDDED_DATABASE_URL or self.broker_url == EMBEDDED_BROKER_URL


@lru_cache(maxsize=1)
def process_settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings()


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def _plain_address(value: AnyHttpUrl) -> AnyHttpUrl:
    if value.username or value.password or value.query or value.fragment:
        raise ValueError("must be an address without user, password or query; secrets are given apart")
    return value


def time_zone(value: str) -> str:
    """Return the name of a time zone as it is.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as UTC or Europe/Berlin") from None
    return value


def _directions(value: str) -> str:
    """Return ``value`` with every group of fields named; one that is not is Magento's."""
    text = value.strip()
    if text in ("magento", "odoo"):
        return ",".join(f"{group}={text}" for group in FIELD_GROUPS)
    masters = dict.fromkeys(FIELD_GROUPS, "magento")
    for part in filter(None, (one.strip() for one in text.split(","))):
        group, _, side = (one.strip() for one in part.partition("="))
        if group not in masters or side not in ("magento", "odoo"):
            raise ValueError(
                f"must be magento, odoo, or GROUP=magento or GROUP=odoo for groups of {', '.join(FIELD_GROUPS)}, "
                "separated by commas"
            )
        masters[group] = side
    return ",".join(f"{group}={side}" for group, side in masters.items())


def _schedules(value: str) -> str:
    """Return ``value`` in its one form: ``NAME=15m,NAME=off``, sorted."""
    found: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in value.split(","))):
        name, _, every = (one.strip() for one in part.partition("="))
        if name not in SCHEDULED:
            raise ValueError(f"must be NAME=15m or NAME=off for names of {', '.join(SCHEDULED)}")
        found[name] = every_text(parse_every(every))
    return ",".join(f"{name}={every}" for name, every in sorted(found.items()))


Text = Annotated[str, AfterValidator(_not_blank)]
Schedules = Annotated[str, AfterValidator(_schedules)]


def _stock_routes(value: str) -> str:
    parse_routes(value)
    return value.strip()


StockRoutes = Annotated[str, AfterValidator(_stock_routes)]
SyncDirection = Annotated[str, AfterValidator(_directions)]
Address = Annotated[AnyHttpUrl, AfterValidator(_plain_address)]
TimeZone = Annotated[str, AfterValidator(_not_blank), AfterValidator(time_zone)]
Money = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=4)]


class InstanceSettings(BaseModel):
    """Settings of one instance. Unknown names and wrong values are refused with the allowed ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    # Magento
    base_url: Address
    #: Store code in the REST path; ``all`` reads and writes default values.
    store_code: Text = "all"
    #: How the access token is used: OAuth 1.0a with four keys, or a bearer token.
    magento_auth: Literal["oauth", "bearer"] = "oauth"
    # Odoo
    odoo_url: Address
    odoo_db: Text
    odoo_user: Text
    verify_ssl: bool = True
    #: Total time for one call to either system.
    call_deadline_seconds: float = Field(default=30.0, gt=0, le=300)

    # Orders
    import_from_date: date | None = None
    #: Time zone of ``import_from_date``: the store's, as ``import-stores`` has read it where nothing is set.
    store_timezone: TimeZone = "UTC"
    history_orders: Literal["skip", "record"] = "skip"
    order_action: Literal["draft", "confirm"] = "draft"
    order_total_policy: Literal["block", "warn", "adjust"] = "block"
    order_total_tolerance: Money = Decimal("0.00")
    order_adjust_max: Money = Decimal("1.00")
    #: Prefix of the sale order's name before the increment id; empty leaves the name to Odoo.
    order_name_prefix: str = ""
    #: Ask Odoo for the total before writing; ``never`` trusts the calculator and the read-back.
    order_preview: Literal["always", "never"] = "always"
    auto_create_products: bool = False
    #: Write Odoo's order name to Magento's ``ext_order_id``.
    write_ext_order_id: bool = False
    company_id: int | None = Field(default=None, gt=0)
    warehouse_id: int | None = Field(default=None, gt=0)
    team_id: int | None = Field(default=None, gt=0)
    user_id: int | None = Field(default=None, gt=0)
    payment_term_id: int | None = Field(default=None, gt=0)
    pricelist_id: int | None = Field(default=None, gt=0)
    shipping_product_id: int | None = Field(default=None, gt=0)
    discount_product_id: int | None = Field(default=None, gt=0)
    adjustment_product_id: int | None = Field(default=None, gt=0)

    # Catalog
    #: Whether the pictures of products go from Magento to Odoo, where Magento is their master.
    import_images: bool = True
    #: Whether products go from Odoo to Magento at all.
    export_products: bool = False
    #: Attribute set of the products that the bridge makes in Magento; 4 is Magento's own *Default*.
    export_attribute_set_id: int = Field(default=4, gt=0)
    #: Which side is the master of each group of a product's fields.
    sync_direction: SyncDirection = _directions("magento")

    #: Magento's Catalog Price Scope: whether websites may have prices of their own.
    price_scope: Literal["global", "website"] = "global"

    # Stock
    #: Whether changes of stock and of orders, and the schedules, export stock by themselves.
    export_stock: bool = False
    #: Whether Magento's quantities may become counts in Odoo, for a first load.
    import_stock: bool = False
    stock_api_mode: Literal["msi", "classic"] = "msi"
    #: Whether quantities are handed to Magento's queue (``msi`` only) and read back later, not written at once.
    stock_bulk: bool = False
    stock_source_code: Text = "default"
    stock_quantity_field: Literal["qty_available", "virtual_available", "free_qty"] = "free_qty"
    safety_stock: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=4)] = Decimal(0)
    stock_formula: Literal["reservation_aware", "plain"] = "reservation_aware"
    #: When Odoo's counted stock became the truth: units that Magento shipped before it never make Odoo moves.
    stock_opening_date: datetime | None = None
    #: What the mapping of sources to warehouses cannot say: ``berlin=1+2; munich=3*60%; outlet=3*rest``.
    stock_routes: StockRoutes = ""
    #: Whether Magento holds sold units back itself; ``off`` for a shop with an extension that stops it.
    stock_reservations: Literal["on", "off"] = "on"
    #: From which difference between Magento's stock and its target on a check of drift warns, and calls it critical.
    drift_warning: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=4)] = Decimal("0.0001")
    drift_critical: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=4)] = Decimal(10)

    #: How often the clock does what, where that is not the default: ``import-products=30m,import-customers=off``.
    schedules: Schedules = ""

    # Doubt and load
    odoo_doubt_seconds: float = Field(default=180.0, ge=0)
    magento_doubt_seconds: tuple[float, ...] = (30.0, 120.0, 600.0)
    max_parallel_odoo: int = Field(default=2, ge=1, le=64)
    max_parallel_magento: int = Field(default=4, ge=1, le=64)

    def master(self, group: FieldGroup) -> Literal["magento", "odoo"]:
        """Return the side whose changes of a group of product fields are carried over to the other."""
        masters = dict(part.split("=") for part in self.sync_direction.split(","))
        return "odoo" if masters[group] == "odoo" else "magento"

    def scheduled(self, name: str) -> str | None:
        """Return what is set for a schedule: ``15m``, ``off``; None: nothing."""
        return dict(part.split("=") for part in self.schedules.split(",") if part).get(name)
