"""The settings of an installation: environment variables, and `reclaim.toml` for those that the environment leaves out.

`load` reports all problems at once, each in one line with the variable, what is wrong and an example. A secret is never
shown, and each has a `_FILE` variant that names a file to read it from. What a setting means stands with its field;
README lists the same.
"""

import difflib
import re
import tomllib
import uuid
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from reclaim.errors import ReclaimError

PREFIX: Final = "RECLAIM_"
FILE: Final = Path("reclaim.toml")
# Settings of our own test suite, which may stand in the environment of a process that it starts.
_FOR_TESTS: Final = "RECLAIM_TEST_"
# Without these nothing can be read from Microsoft.
DIRECTORY: Final = ("tenant_id", "client_id", "client_secret")
# All of them connect Nexthink, or none.
NEXTHINK: Final = (
    "nexthink_url",
    "nexthink_login_url",
    "nexthink_client_id",
    "nexthink_client_secret",
    "nexthink_query",
)
# What may be given instead of a setting.
_INSTEAD: Final = {"client_secret": "client_certificate"}
# Login service and Graph of each cloud. Source: Microsoft Graph docs, concepts/deployments.
CLOUDS: Final[Mapping[str, tuple[str, str]]] = {
    "global": ("https://login.microsoftonline.com", "https://graph.microsoft.com/v1.0"),
    "gcc_high": ("https://login.microsoftonline.us", "https://graph.microsoft.us/v1.0"),
    "dod": ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us/v1.0"),
    "china": ("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn/v1.0"),
}

# Our columns of usage, and what they are called in a Nexthink query that follows docs/consent.md.
_USAGE_COLUMNS: Final = frozenset({"who", "application", "last_used", "unused_days", "device", "observed_at"})
NEXTHINK_COLUMNS: Final[Mapping[str, str]] = {"who": "user.upn", "last_used": "last_usage", "device": "device.name"}

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


class SettingsError(ReclaimError):
    """The settings cannot be used; `problems` has one line each."""

    code: ClassVar[str] = "settings"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d{1,6})([mhd])", str(value).strip())
    if found is None:
        message = "is not a number with m, h or d"
        raise ValueError(message)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _pace(value: object) -> timedelta:
    return timedelta(0) if str(value).strip() == "0" else _duration(value)


def _clock_time(value: object) -> time:
    if isinstance(value, time):
        return value
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", str(value).strip(), re.ASCII)
    if found is None:
        message = "is not a time of day"
        raise ValueError(message)
    return time(int(found[1]), int(found[2]))


def _instant(value: object) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        message = "is not an ISO 8601 date"
        raise ValueError(message) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _object_id(value: object) -> str:
    try:
        return str(uuid.UUID(str(value).strip()))
    except ValueError:
        message = "is not an object id"
        raise ValueError(message) from None


def _object_ids(value: object) -> frozenset[str]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Iterable):
        message = "is not a list of object ids"
        raise ValueError(message)
    return frozenset(_object_id(part) for part in parts if str(part).strip())


def _report_age(value: timedelta) -> timedelta:
    if not timedelta(days=1) <= value <= timedelta(days=7):
        message = "is not from 1d to 7d"
        raise ValueError(message)
    return value


def _https(value: str) -> str:
    try:
        url = TypeAdapter(AnyHttpUrl).validate_python(value)
    except ValidationError:
        url = None
    if url is None or url.scheme != "https" or url.query or url.fragment or url.username:
        message = "is not a plain https address"
        raise ValueError(message)
    return value.rstrip("/")


def _versioned(value: str) -> str:
    if not re.search(r"/(v\d+\.\d+|beta)$", value):
        message = "does not end in a version"
        raise ValueError(message)
    return value


def _zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        message = "is not a time zone of the IANA database"
        raise ValueError(message) from None
    return value


def _address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        message = "is not host:port"
        raise ValueError(message)
    return value


def _openid(value: str) -> str:
    # A key server on this machine stands in for Microsoft's in development and in tests.
    if re.match(r"http://(127\.0\.0\.1|localhost)(:\d+)?/", value):
        return value
    return _https(value)


def _slack_api(value: str) -> str:
    # A stand-in for Slack on this machine serves development and tests.
    address = value if re.match(r"http://(127\.0\.0\.1|localhost)(:\d+)?/", value) else _https(value)
    if not address.rstrip("/").endswith("/api"):
        message = "does not end in /api/"
        raise ValueError(message)
    return f"{address.rstrip('/')}/"


def _hosts(value: object) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Iterable):
        message = "is not a list of hosts"
        raise ValueError(message)
    hosts = tuple(str(part).strip().lower() for part in parts if str(part).strip())
    if not hosts or not all(re.fullmatch(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)+", host) for host in hosts):
        message = "is not a list of hosts"
        raise ValueError(message)
    return hosts


def _nexthink_query(value: str | None) -> str | None:
    if value is not None and re.fullmatch("#[a-z0-9_]{2,255}", value) is None:
        message = "is not # with 2 to 255 small letters, digits and underscores"
        raise ValueError(message)
    return value


def _nexthink_columns(value: object) -> Mapping[str, str]:
    parts = value.split(",") if isinstance(value, str) else ()
    pairs = list(value.items()) if isinstance(value, Mapping) else [part.partition("=")[::2] for part in parts]
    columns = {str(ours).strip(): str(theirs).strip() for ours, theirs in pairs}
    whole = "who" in columns and columns.keys() & {"last_used", "unused_days"}
    if not whole or len(columns) != len(pairs) or not all(columns.values()) or columns.keys() - _USAGE_COLUMNS:
        message = "is not a list of our columns with those of the query"
        raise ValueError(message)
    return columns


def _database(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        message = "begins neither with sqlite:/// nor with postgresql://"
        raise ValueError(message)
    return value


def _shaped(pattern: str, wanted: str) -> AfterValidator:
    """Return a check of a secret's form, so that a token in the wrong setting is found before it is used."""

    def check(value: SecretStr | None) -> SecretStr | None:
        if value is not None and re.fullmatch(pattern, value.get_secret_value(), re.ASCII) is None:
            message = f"is not {wanted}"
            raise ValueError(message)
        return value

    return AfterValidator(check)


def _readable(value: Path) -> Path:
    if not value.is_file():
        message = "is no file that can be read"
        raise ValueError(message)
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
ObjectId = Annotated[str, BeforeValidator(_object_id)]
# NoDecode: pydantic-settings would read a list as JSON.
ObjectIds = Annotated[frozenset[str], NoDecode, BeforeValidator(_object_ids)]
Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)]
Https = Annotated[str, AfterValidator(_https)]
NexthinkColumns = Annotated[Mapping[str, str], NoDecode, BeforeValidator(_nexthink_columns)]
ReadableFile = Annotated[Path, AfterValidator(_readable)]
Seats = Annotated[int, Field(ge=1, le=1_000_000)]
Share = Annotated[int, Field(ge=1, le=100)]


def _field(default: Any, description: str, example: str, *, from_file: bool = False) -> Any:
    """Declare a setting; `description` completes "must be ...", and the example is a valid value.

    Args:
        from_file: Checked even where it has its default, because then it is read from a file or follows from another.
    """
    return Field(default=default, description=description, examples=[example], validate_default=from_file)


class Settings(BaseSettings):
    """All settings, checked. Made by `load`, or from explicit values in a rehearsal and in tests.

    The order matters in one way: a check that looks at two settings stands with the later one.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_ignore_empty=True, hide_input_in_errors=True
    )

    database_url_file: ReadableFile | None = _field(
        None, "a file that holds the database URL", "/run/secrets/database_url"
    )
    database_url: Annotated[SecretStr, AfterValidator(_database)] = _field(
        SecretStr("sqlite:///reclaim.db"),
        "the URL of a SQLite file or a PostgreSQL database",
        "sqlite:///reclaim.db",
        from_file=True,
    )
    listen: Annotated[str, AfterValidator(_address)] = _field(
        "127.0.0.1:3978", "host:port to listen on", "127.0.0.1:3978"
    )
    writes: Literal["dry_run", "live"] = _field("dry_run", "dry_run or live", "dry_run")

    tenant_id: ObjectId | None = _field(None, "the id of your Entra tenant", "72f988bf-86f1-41af-91ab-2d7cd011db47")
    client_id: ObjectId | None = _field(None, "the id of the app registration", "04b07795-8ddb-461a-bbee-02f9e1bf7b46")
    client_secret_file: ReadableFile | None = _field(
        None, "a file that holds the app registration's secret", "/run/secrets/client_secret"
    )
    client_secret: SecretStr | None = _field(
        None, "the app registration's secret", "(from the Entra admin center)", from_file=True
    )
    client_certificate: ReadableFile | None = _field(
        None, "a PEM file of a certificate and its private key, instead of the secret", "/run/secrets/reclaim.pem"
    )
    writer_client_id: ObjectId | None = _field(
        None,
        "the id of a second app registration, which alone may write; without it the first one writes",
        "7f3c0a9e-2f41-4b5e-9a53-8f0f6a0f5b10",
    )
    writer_client_secret_file: ReadableFile | None = _field(
        None, "a file that holds the secret of the app registration that writes", "/run/secrets/writer_client_secret"
    )
    writer_client_secret: SecretStr | None = _field(
        None, "the secret of the app registration that writes", "(from the Entra admin center)", from_file=True
    )
    writer_client_certificate: ReadableFile | None = _field(
        None,
        "a PEM file of its certificate and private key, instead of its secret",
        "/run/secrets/writer.pem",
        from_file=True,
    )
    cloud: Literal["global", "gcc_high", "dod", "china"] = _field(
        "global", "global (GCC too), gcc_high, dod or china", "global"
    )
    login_url: Https = _field(
        None,
        "the https address of the login service, if not that of RECLAIM_CLOUD",
        "https://login.microsoftonline.com",
        from_file=True,
    )
    graph_url: Annotated[Https, AfterValidator(_versioned)] = _field(
        None,
        "the https address of Microsoft Graph with its version, if not that of RECLAIM_CLOUD",
        "https://graph.microsoft.com/v1.0",
        from_file=True,
    )
    ca_file: ReadableFile | None = _field(None, "a file of certificates to trust", "/etc/ssl/company-ca.pem")

    admins: ObjectIds = _field(
        frozenset(), "object ids of people or groups, with commas", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    )
    license_managers: ObjectIds = _field(
        frozenset(), "object ids of people or groups, with commas", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    )
    auditors: ObjectIds = _field(
        frozenset(), "object ids of people or groups, with commas", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    )
    fallback_reviewer: ObjectId | None = _field(
        None, "the object id of a person", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    )
    prices: ReadableFile | None = _field(None, "a CSV file of prices", "prices.csv")
    sku_names: ReadableFile | None = _field(
        None, "Microsoft's CSV of product names, for SKUs that Reclaim knows by part number only", "sku-names.csv"
    )
    zone: Annotated[str, AfterValidator(_zone)] = _field("UTC", "a time zone of the IANA database", "Europe/Berlin")

    idle_days: Annotated[int, Field(ge=30, le=730)] = _field(90, "a number of days from 30 to 730", "90")
    never_seen_since: Annotated[datetime, BeforeValidator(_instant)] | None = _field(
        None, "the day since which every sign-in was recorded", "2023-12-01"
    )
    close_grace: Duration = _field(timedelta(hours=24), "a duration in m, h or d", "24h")
    cooldown: Duration = _field(timedelta(days=90), "a duration in m, h or d", "90d")
    undo_window: Duration = _field(timedelta(days=30), "a duration in m, h or d", "30d")
    questions_per_day: Annotated[int, Field(ge=1, le=50)] = _field(
        3, "how many new questions a person gets in a day, from 1 to 50", "3"
    )
    usage_max_age: Duration = _field(timedelta(days=14), "a duration in m, h or d", "14d")
    nexthink_url: Https | None = _field(
        None, "the https address of your Nexthink instance's API", "https://acme.api.eu.nexthink.cloud"
    )
    nexthink_login_url: Https | None = _field(
        None,
        "the full https address at which your Nexthink instance gives tokens",
        "https://acme-login.eu.nexthink.cloud/oauth2/default/v1/token",
    )
    nexthink_client_id: str | None = _field(None, "the client id of Nexthink's API credentials", "0oa1b2c3d4e5f6g7h8i9")
    nexthink_client_secret_file: ReadableFile | None = _field(
        None, "a file that holds the secret of Nexthink's API credentials", "/run/secrets/nexthink_client_secret"
    )
    nexthink_client_secret: SecretStr | None = _field(
        None,
        "the secret of Nexthink's API credentials",
        "(from Nexthink › Administration › API credentials)",
        from_file=True,
    )
    nexthink_query: Annotated[str | None, AfterValidator(_nexthink_query)] = _field(
        None, "the id of a Nexthink NQL API query, with its #", "#reclaim_usage", from_file=True
    )
    nexthink_columns: NexthinkColumns = _field(
        NEXTHINK_COLUMNS,
        "our columns with those of the query: who, last_used or unused_days; device, observed_at, application",
        "who=user.upn,last_used=last_usage,device=device.name",
    )
    nexthink_method: Literal["export", "execute"] = _field(
        "export", "export, or execute for queries of fewer than 1,000 rows", "export"
    )
    data_loss: Literal["ask", "hold"] = _field(
        "ask", "ask or hold: whether a reviewer may revoke a seat that carries somebody's last mailbox or files", "ask"
    )
    data_max_age: Duration = _field(timedelta(hours=24), "a duration in m, h or d", "24h")
    usage_reports: Literal["off", "on"] = _field(
        "off",
        "off or on: whether no use in Microsoft's usage reports makes a seat unused although its holder signs in",
        "off",
    )
    report_max_age: Annotated[Duration, AfterValidator(_report_age)] = _field(
        timedelta(days=7), "a duration in h or d, from 1d to 7d: an older usage report judges nothing", "7d"
    )
    reminder_before: Duration = _field(timedelta(days=2), "a duration in m, h or d", "2d")

    sync_at: Annotated[time, BeforeValidator(_clock_time)] = _field(
        time(2), "a time of day in RECLAIM_ZONE, at which the whole tenant is read every night", "02:00"
    )
    changes_every: Annotated[timedelta, BeforeValidator(_pace)] = _field(
        timedelta(hours=1), "a duration in m, h or d between two reads of what has changed, or 0 for none", "1h"
    )

    limit_soft_seats: Seats = _field(100, "a number of seats", "100")
    limit_soft_share: Share = _field(40, "a percentage from 1 to 100", "40")
    limit_hard_seats: Seats = _field(500, "a number of seats, not below RECLAIM_LIMIT_SOFT_SEATS", "500")
    limit_hard_share: Share = _field(60, "a percentage from 1 to 100, not below RECLAIM_LIMIT_SOFT_SHARE", "60")
    limit_hard_per_hour: Seats = _field(500, "a number of seats an hour", "500")

    write_budget: Annotated[int, Field(ge=1, le=1_000_000)] = _field(
        1500, "how many writes this process sends to Microsoft Graph in 150 seconds, of the 3,000 it takes", "1500"
    )

    sign_in_budget: Annotated[int, Field(ge=1, le=1_000_000)] = _field(
        10,
        "how many requests for sign-in activity this process makes in a minute, of the 10 that Microsoft takes",
        "10",
    )

    receipt_budget: Annotated[int, Field(ge=1, le=1_000_000)] = _field(
        600,
        "how many holders this process tells in a minute, after a campaign, that a seat is gone; of the 3,000 requests that"
        " Teams takes in a tenant",
        "600",
    )

    development: bool = _field(False, "true or false; true lets chat services on this machine in", "false")
    teams_app_id: ObjectId | None = _field(
        None, "the id of the bot's app registration", "5c0f6f5e-7a37-4f0f-9f3e-0d7c0e7f1a11"
    )
    teams_app_secret_file: ReadableFile | None = _field(
        None, "a file that holds the bot's secret", "/run/secrets/teams_app_secret"
    )
    teams_app_secret: SecretStr | None = _field(
        None, "the bot's secret", "(from the Entra admin center)", from_file=True
    )
    teams_certificate: ReadableFile | None = _field(
        None, "a PEM file of the bot's certificate and its private key", "/run/secrets/teams.pem"
    )
    teams_managed_identity: bool = _field(
        False, "true or false; true if RECLAIM_TEAMS_APP_ID is a managed identity of this machine", "false"
    )
    teams_tenant_id: ObjectId | None = _field(
        None,
        "the tenant whose people may speak to the bot, if not RECLAIM_TENANT_ID",
        "72f988bf-86f1-41af-91ab-2d7cd011db47",
    )
    teams_openid_url: Annotated[str, AfterValidator(_openid)] = _field(
        "https://login.botframework.com/v1/.well-known/openidconfiguration",
        "the https address of the Bot Connector's keys",
        "https://login.botframework.com/v1/.well-known/openidconfiguration",
    )
    teams_service_hosts: Hosts = _field(
        ("smba.trafficmanager.net", ".botframework.com", ".teams.microsoft.com", ".teams.microsoft.us"),
        "hosts of the Bot Connector, with commas; a leading dot means any host below",
        "smba.trafficmanager.net",
    )

    slack_signing_secret_file: ReadableFile | None = _field(
        None, "a file that holds the Slack app's signing secret", "/run/secrets/slack_signing_secret"
    )
    slack_signing_secret: SecretStr | None = _field(
        None, "the Slack app's signing secret", "(from the app's Basic Information)", from_file=True
    )
    slack_bot_token_file: ReadableFile | None = _field(
        None, "a file that holds the bot token of one workspace", "/run/secrets/slack_bot_token"
    )
    slack_bot_token: Annotated[SecretStr | None, _shaped(r"xoxb-\S+", "a token that begins with xoxb-")] = _field(
        None, "the bot token of one workspace", "(from OAuth & Permissions)", from_file=True
    )
    slack_app_token_file: ReadableFile | None = _field(
        None, "a file that holds the app-level token", "/run/secrets/slack_app_token"
    )
    slack_app_token: Annotated[SecretStr | None, _shaped(r"xapp-\S+", "a token that begins with xapp-")] = _field(
        None,
        "the app-level token, for Socket Mode: where Slack cannot reach this server",
        "(from the app's Basic Information)",
        from_file=True,
    )
    slack_client_id: Annotated[str | None, Field(pattern=r"^\d+\.\d+$")] = _field(
        None, "the Slack app's client id, to install it from the browser", "1234567890.1234567890"
    )
    slack_client_secret_file: ReadableFile | None = _field(
        None, "a file that holds the Slack app's client secret", "/run/secrets/slack_client_secret"
    )
    slack_client_secret: SecretStr | None = _field(
        None, "the Slack app's client secret", "(from the app's Basic Information)", from_file=True
    )
    slack_api_url: Annotated[str, AfterValidator(_slack_api)] = _field(
        "https://slack.com/api/", "the https address of Slack's Web API", "https://slack.com/api/"
    )
    slack_people: ReadableFile | None = _field(
        None, "a CSV file that matches people by hand: slack,person", "slack-people.csv"
    )
    token_key_file: ReadableFile | None = _field(
        None, "a file that holds the key for stored tokens", "/run/secrets/token_key"
    )
    token_key: Annotated[SecretStr | None, _shaped("[A-Za-z0-9_-]{43}=", "a key as made by: reclaim token-key")] = (
        _field(None, "the key that encrypts stored tokens", "(from: reclaim token-key)", from_file=True)
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take explicit values only: what a rehearsal or a test does not say, it does not want from outside."""
        return (init_settings,)

    @field_validator(
        "database_url",
        "client_secret",
        "writer_client_secret",
        "nexthink_client_secret",
        "teams_app_secret",
        "slack_signing_secret",
        "slack_bot_token",
        "slack_app_token",
        "slack_client_secret",
        "token_key",
        mode="before",
    )
    @classmethod
    def _read_file(cls, value: object, info: ValidationInfo) -> object:
        name = str(info.field_name)
        path = info.data.get(f"{name}_file")
        if path is None:
            return value
        if value is not cls.model_fields[name].default:
            message = f"is given twice: by itself and by {variable(name)}_FILE"
            raise ValueError(message)
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            text = ""  # the decoder's own message would show what it could not decode
        if not text:
            message = f"cannot be read: the file of {variable(name)}_FILE is empty, no text or not ours to read"
            raise ValueError(message)
        return text

    @field_validator("login_url", "graph_url", mode="before")
    @classmethod
    def _by_cloud(cls, value: object, info: ValidationInfo) -> object:
        login, graph = CLOUDS[info.data.get("cloud", "global")]
        return (login if info.field_name == "login_url" else graph) if value is None else value

    @field_validator("client_certificate", "writer_client_certificate")
    @classmethod
    def _one_credential(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        secret = str(info.field_name).replace("certificate", "secret")
        if value is not None and info.data.get(secret) is not None:
            message = f"is given together with {variable(secret)}: one of the two"
            raise ValueError(message)
        return value

    @field_validator("writer_client_certificate")
    @classmethod
    def _whole_writer(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if not {"writer_client_id", "writer_client_secret"} <= info.data.keys():
            return value  # one of them is wrong in itself, and is told as that
        named = info.data["writer_client_id"] is not None
        if named != (value is not None or info.data["writer_client_secret"] is not None):
            other = "a secret or a certificate" if named else variable("writer_client_id")
            message = f"is part of an application that writes, of which {other} is missing"
            raise ValueError(message)
        return value

    @field_validator("nexthink_query")
    @classmethod
    def _whole_nexthink(cls, value: str | None, info: ValidationInfo) -> str | None:
        given = {name: info.data.get(name) for name in NEXTHINK if name != "nexthink_query"} | {"nexthink_query": value}
        if not given.keys() - {"nexthink_query"} <= info.data.keys():
            return value  # one of them is wrong in itself, and is told as that
        missing = [variable(name) for name in NEXTHINK if given[name] is None]
        if missing and len(missing) < len(NEXTHINK):
            message = f"is part of the connection to Nexthink, of which {', '.join(missing)} is missing"
            raise ValueError(message)
        return value

    @field_validator("limit_hard_seats", "limit_hard_share")
    @classmethod
    def _check_above_soft(cls, value: int, info: ValidationInfo) -> int:
        soft = str(info.field_name).replace("hard", "soft")
        if value < info.data.get(soft, value):
            message = f"is below {variable(soft)}"
            raise ValueError(message)
        return value

    @property
    def listen_host(self) -> str:
        """The host part of `listen`, an IPv6 address without its brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def listen_port(self) -> int:
        """The port part of `listen`."""
        return int(self.listen.rpartition(":")[2])


class _FromOutside(Settings):
    """The settings as found in the environment and in the file."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return (env_settings, TomlConfigSettingsSource(settings_cls, FILE))


def load(environment: Mapping[str, str], *, needs: Sequence[str] = ()) -> Settings:
    """Read and check the settings.

    Args:
        environment: All environment variables, to find misspelled and missing ones.
        needs: Fields that must be set, such as `DIRECTORY`.

    Raises:
        SettingsError: With every problem.
    """
    problems = [_unknown(name) for name in sorted(environment) if _is_unknown(name)]
    try:
        written = TomlConfigSettingsSource(_FromOutside, FILE).toml_data
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([*problems, f"{FILE} is not valid TOML: {error}."]) from None
    given = written.keys() | {name.upper().removeprefix(PREFIX).lower() for name, value in environment.items() if value}
    problems += [
        f"{variable(name)} is missing. {_hint(name)}{_or_instead(name)}"
        for name in needs
        if not {name, f"{name}_file", _INSTEAD.get(name)} & given
    ]
    try:
        settings = _FromOutside()
    except ValidationError as error:
        problems += [_problem(detail) for detail in error.errors(include_url=False, include_input=False)]
    else:
        if not problems:
            return settings
    raise SettingsError(problems)


def variable(field: str) -> str:
    """Return the environment variable of a field."""
    return PREFIX + field.upper()


def _problem(detail: ErrorDetails) -> str:
    name = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        nearest = _nearest(name, Settings.model_fields)
        return f"{FILE} has an unknown setting: {name}.{f' Did you mean {nearest}?' if nearest else ''}"
    cause = detail.get("ctx", {}).get("error", "cannot be used")
    return f"{variable(name)} {cause}. {_hint(name)}"


def _hint(name: str) -> str:
    field = Settings.model_fields[name]
    example = (field.examples or [""])[0]
    return f"It must be {field.description}. Example: {variable(name)}={example}"


def _or_instead(name: str) -> str:
    other = _INSTEAD.get(name)
    return f", or {variable(other)}: {Settings.model_fields[other].description}" if other else ""


def _is_unknown(name: str) -> bool:
    upper = name.upper()
    known = {variable(field) for field in Settings.model_fields}
    return upper.startswith(PREFIX) and upper not in known and not upper.startswith(_FOR_TESTS)


def _unknown(name: str) -> str:
    nearest = _nearest(name.upper().removeprefix(PREFIX).lower(), Settings.model_fields)
    return f"{name} is not a setting of this release.{f' Did you mean {variable(nearest)}?' if nearest else ''}"


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)
