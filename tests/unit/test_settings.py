from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reclaim.settings import DIRECTORY, Settings, SettingsError, load, variable

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
ADA = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
GRACE = "9a3c1d52-6d0a-4b2e-8a53-0d3b8b1c7f11"


class Surroundings:
    """The environment and the working directory of one test."""

    def __init__(self, patch: pytest.MonkeyPatch, directory: Path) -> None:
        self._patch = patch
        self.directory = directory
        self.variables: dict[str, str] = {}

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self._patch.setenv(name, value)
            self.variables[name] = value

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path

    def load(self, *needs: str) -> Settings:
        return load(self.variables, needs=needs)

    def problems(self, *needs: str) -> tuple[str, ...]:
        with pytest.raises(SettingsError) as raised:
            self.load(*needs)
        return raised.value.problems


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Surroundings:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable(field), raising=False)
    monkeypatch.chdir(tmp_path)
    return Surroundings(monkeypatch, tmp_path)


def test_everything_has_a_default_that_writes_nothing(given: Surroundings) -> None:
    settings = given.load()

    assert settings.writes == "dry_run"
    assert settings.database_url.get_secret_value() == "sqlite:///reclaim.db"
    assert (settings.listen_host, settings.listen_port) == ("127.0.0.1", 3978)
    assert settings.graph_url == "https://graph.microsoft.com/v1.0"


def test_values_arrive_as_what_they_mean(given: Surroundings) -> None:
    given.set(
        RECLAIM_WRITES="live",
        RECLAIM_TENANT_ID=TENANT.upper(),
        RECLAIM_ADMINS=f" {ADA.upper()}, {GRACE},",
        RECLAIM_CLOSE_GRACE="90m",
        RECLAIM_COOLDOWN="12h",
        RECLAIM_UNDO_WINDOW="7d",
        RECLAIM_NEVER_SEEN_SINCE="2024-01-31",
        RECLAIM_LISTEN="[::1]:80",
        RECLAIM_GRAPH_URL="https://graph.microsoft.us/v1.0/",
    )

    settings = given.load()

    assert settings.writes == "live"
    assert settings.tenant_id == TENANT
    assert settings.admins == {ADA, GRACE}
    assert settings.close_grace == timedelta(minutes=90)
    assert settings.cooldown == timedelta(hours=12)
    assert settings.undo_window == timedelta(days=7)
    assert settings.never_seen_since == datetime(2024, 1, 31, tzinfo=UTC)
    assert (settings.listen_host, settings.listen_port) == ("::1", 80)
    assert settings.graph_url == "https://graph.microsoft.us/v1.0"


MALFORMED: Mapping[str, tuple[str, ...]] = {
    "RECLAIM_DATABASE_URL": ("mysql://db/reclaim", "reclaim.db", "sqlite:reclaim.db"),
    "RECLAIM_LISTEN": ("3978", ":3978", "localhost:", "localhost:http", "localhost:70000", "localhost:٣"),
    "RECLAIM_WRITES": ("on", "true"),
    "RECLAIM_TENANT_ID": ("contoso.com",),
    "RECLAIM_CLIENT_ID": ("reclaim",),
    "RECLAIM_CLIENT_SECRET_FILE": ("missing.txt", "."),
    "RECLAIM_CLIENT_CERTIFICATE": ("missing.pem",),
    "RECLAIM_WRITER_CLIENT_ID": ("reclaim",),
    "RECLAIM_WRITER_CLIENT_SECRET_FILE": ("missing.txt",),
    "RECLAIM_WRITER_CLIENT_CERTIFICATE": ("missing.pem",),
    "RECLAIM_CLOUD": ("moon", "GCC"),
    "RECLAIM_LOGIN_URL": ("http://login.microsoftonline.com", "login.microsoftonline.com", "https://"),
    "RECLAIM_GRAPH_URL": (
        "http://graph.microsoft.com/v1.0",
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/v1.0?x=1",
        "https://user@graph.microsoft.com/v1.0",
    ),
    "RECLAIM_CA_FILE": ("missing.pem",),
    "RECLAIM_ADMINS": ("ada@contoso.com", f"{ADA};{GRACE}"),
    "RECLAIM_LICENSE_MANAGERS": ("ada",),
    "RECLAIM_AUDITORS": ("ada",),
    "RECLAIM_FALLBACK_REVIEWER": ("ada", f"{ADA},{GRACE}"),
    "RECLAIM_PRICES": ("missing.csv",),
    "RECLAIM_DATA_LOSS": ("maybe",),
    "RECLAIM_QUESTIONS_PER_DAY": ("0", "many", "51"),
    "RECLAIM_USAGE_MAX_AGE": ("14",),
    "RECLAIM_NEXTHINK_URL": ("http://acme.api.eu.nexthink.cloud", "acme"),
    "RECLAIM_NEXTHINK_LOGIN_URL": ("http://acme-login.eu.nexthink.cloud/oauth2/default/v1/token", "acme"),
    "RECLAIM_NEXTHINK_CLIENT_SECRET_FILE": ("missing.txt",),
    "RECLAIM_NEXTHINK_QUERY": ("reclaim_usage", "#a", "#Usage", "#reclaim usage"),
    "RECLAIM_NEXTHINK_COLUMNS": (
        "who=user.upn",
        "last_used=x",
        "who=a,last_used=",
        "who=a,last_used=b,who=c",
        "user.upn",
    ),
    "RECLAIM_NEXTHINK_METHOD": ("import",),
    "RECLAIM_SIGN_IN_BUDGET": ("0", "ten"),
    "RECLAIM_RECEIPT_BUDGET": ("0", "ten"),
    "RECLAIM_SKU_NAMES": ("missing.csv",),
    "RECLAIM_ZONE": ("Mars/Base", "../etc/passwd", "/etc/localtime"),
    "RECLAIM_IDLE_DAYS": ("ninety", "29", "731", "90.5"),
    "RECLAIM_NEVER_SEEN_SINCE": ("last year", "31.01.2024"),
    "RECLAIM_CLOSE_GRACE": ("24", "1w", "-1h", "1.5h", "24 h"),
    "RECLAIM_COOLDOWN": ("90",),
    "RECLAIM_UNDO_WINDOW": ("30",),
    "RECLAIM_DATA_MAX_AGE": ("P1D",),
    "RECLAIM_USAGE_REPORTS": ("yes", "true"),
    "RECLAIM_REPORT_MAX_AGE": ("8d", "12h", "a week"),
    "RECLAIM_REMINDER_BEFORE": ("2days",),
    "RECLAIM_SYNC_AT": ("2", "24:00", "2:00", "02:60", "02:00 UTC"),
    "RECLAIM_CHANGES_EVERY": ("hourly", "60", "-1h"),
    "RECLAIM_LIMIT_SOFT_SEATS": ("0", "many"),
    "RECLAIM_LIMIT_SOFT_SHARE": ("0", "101"),
    "RECLAIM_LIMIT_HARD_SEATS": ("99",),
    "RECLAIM_LIMIT_HARD_SHARE": ("39", "60%"),
    "RECLAIM_LIMIT_HARD_PER_HOUR": ("0",),
    "RECLAIM_WRITE_BUDGET": ("0", "half"),
    "RECLAIM_DEVELOPMENT": ("perhaps",),
    "RECLAIM_TEAMS_APP_ID": ("reclaim",),
    "RECLAIM_TEAMS_CERTIFICATE": ("missing.pem",),
    "RECLAIM_TEAMS_MANAGED_IDENTITY": ("perhaps",),
    "RECLAIM_TEAMS_TENANT_ID": ("contoso.com",),
    "RECLAIM_TEAMS_OPENID_URL": ("http://login.botframework.com/keys", "file:///etc/passwd"),
    "RECLAIM_SLACK_BOT_TOKEN": ("xoxp-1", "xapp-1", "xoxb- 1"),
    "RECLAIM_SLACK_APP_TOKEN": ("xoxb-1",),
    "RECLAIM_SLACK_CLIENT_ID": ("A0123", "1.2.3"),
    "RECLAIM_SLACK_API_URL": ("http://slack.com/api/", "https://slack.com/", "slack.com/api", "file:///api/"),
    "RECLAIM_SLACK_PEOPLE": ("missing.csv",),
    "RECLAIM_TOKEN_KEY": ("secret", "A" * 43),
    "RECLAIM_TEAMS_SERVICE_HOSTS": (",", "https://smba.trafficmanager.net", "smba", "a b.c"),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in MALFORMED.items() for value in values])
def test_a_malformed_setting_is_one_line_with_its_name_and_an_example(
    given: Surroundings, name: str, value: str
) -> None:
    given.set(**{name: value})

    (problem,) = given.problems()

    assert problem.startswith(f"{name} ")
    assert f"Example: {name}=" in problem
    assert "\n" not in problem


def test_every_setting_that_can_be_malformed_is_tried() -> None:
    any_text_will_do = {
        "RECLAIM_CLIENT_SECRET",
        "RECLAIM_WRITER_CLIENT_SECRET",
        "RECLAIM_NEXTHINK_CLIENT_ID",
        "RECLAIM_NEXTHINK_CLIENT_SECRET",
        "RECLAIM_TEAMS_APP_SECRET",
        "RECLAIM_SLACK_SIGNING_SECRET",
        "RECLAIM_SLACK_CLIENT_SECRET",
    }
    same_check_as_the_other_file = {
        "RECLAIM_DATABASE_URL_FILE",
        "RECLAIM_TEAMS_APP_SECRET_FILE",
        "RECLAIM_SLACK_SIGNING_SECRET_FILE",
        "RECLAIM_SLACK_BOT_TOKEN_FILE",
        "RECLAIM_SLACK_APP_TOKEN_FILE",
        "RECLAIM_SLACK_CLIENT_SECRET_FILE",
        "RECLAIM_TOKEN_KEY_FILE",
    }

    assert {variable(field) for field in Settings.model_fields} == (
        MALFORMED.keys() | any_text_will_do | same_check_as_the_other_file
    )


NEXTHINK = {
    "RECLAIM_NEXTHINK_URL": "https://acme.api.eu.nexthink.cloud",
    "RECLAIM_NEXTHINK_LOGIN_URL": "https://acme-login.eu.nexthink.cloud/oauth2/default/v1/token",
    "RECLAIM_NEXTHINK_CLIENT_ID": "reclaim",
    "RECLAIM_NEXTHINK_CLIENT_SECRET": "s3cret",
    "RECLAIM_NEXTHINK_QUERY": "#reclaim_usage",
}


@pytest.mark.parametrize("missing", NEXTHINK)
def test_nexthink_is_connected_by_all_of_its_settings_or_by_none(given: Surroundings, missing: str) -> None:
    given.set(**{name: value for name, value in NEXTHINK.items() if name != missing})

    (problem,) = given.problems()

    assert problem.startswith("RECLAIM_NEXTHINK_QUERY ")
    assert f"of which {missing} is missing" in problem
    assert "s3cret" not in problem


def test_nexthink_columns_are_read_as_pairs(given: Surroundings) -> None:
    given.set(**NEXTHINK, RECLAIM_NEXTHINK_COLUMNS="who = user.sid, unused_days=idle")

    settings = given.load()

    assert settings.nexthink_columns == {"who": "user.sid", "unused_days": "idle"}
    assert settings.nexthink_client_secret is not None


def test_all_problems_come_at_once(given: Surroundings) -> None:
    given.set(RECLAIM_IDLE_DAYS="ninety", RECLAIM_ZONE="Mars/Base", RECLAIM_PRICE="p.csv")

    named = [problem.split()[0] for problem in given.problems(*DIRECTORY)]

    assert named == [
        "RECLAIM_PRICE",
        "RECLAIM_TENANT_ID",
        "RECLAIM_CLIENT_ID",
        "RECLAIM_CLIENT_SECRET",
        "RECLAIM_ZONE",
        "RECLAIM_IDLE_DAYS",
    ]


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("RECLAIM_ADMIN", "RECLAIM_ADMINS"),
        ("RECLAIM_IDEL_DAYS", "RECLAIM_IDLE_DAYS"),
        ("reclaim_write", "RECLAIM_WRITES"),
    ],
)
def test_an_unknown_variable_names_the_setting_that_was_probably_meant(
    given: Surroundings, typo: str, meant: str
) -> None:
    given.set(**{typo: "x"})

    assert given.problems() == (f"{typo} is not a setting of this release. Did you mean {meant}?",)


def test_an_unknown_variable_like_no_other_names_none(given: Surroundings) -> None:
    given.set(RECLAIM_XYZZY="x")

    assert given.problems() == ("RECLAIM_XYZZY is not a setting of this release.",)


def test_variables_of_others_and_of_our_tests_are_left_alone(given: Surroundings) -> None:
    given.set(HOME="x", RECLAIM_TEST_POSTGRES_URL="x", XRECLAIM_ADMIN="x")

    given.load()


def test_an_empty_variable_counts_as_not_set(given: Surroundings) -> None:
    given.set(RECLAIM_IDLE_DAYS="", RECLAIM_TENANT_ID="")

    assert given.load().idle_days == 90
    assert [problem.split()[0] for problem in given.problems("tenant_id")] == ["RECLAIM_TENANT_ID"]


def test_the_file_gives_what_the_environment_leaves_out(given: Surroundings) -> None:
    given.write("reclaim.toml", f'idle_days = 60\nzone = "Europe/Berlin"\nadmins = ["{ADA}"]\n')
    given.set(RECLAIM_ZONE="Asia/Tokyo")

    settings = given.load()

    assert (settings.idle_days, settings.zone, settings.admins) == (60, "Asia/Tokyo", frozenset({ADA}))


def test_an_unknown_setting_in_the_file_names_the_one_that_was_probably_meant(given: Surroundings) -> None:
    given.write("reclaim.toml", "idle_day = 60\n")

    assert given.problems() == ("reclaim.toml has an unknown setting: idle_day. Did you mean idle_days?",)


def test_a_file_that_is_no_toml_is_a_problem(given: Surroundings) -> None:
    given.write("reclaim.toml", "idle_days: 60\n")
    given.set(RECLAIM_XYZZY="x")

    unknown, no_toml = given.problems()

    assert unknown.startswith("RECLAIM_XYZZY")
    assert no_toml.startswith("reclaim.toml is not valid TOML")


@pytest.mark.parametrize("field", ["client_secret", "database_url"])
def test_a_secret_is_read_from_its_file(given: Surroundings, field: str) -> None:
    path = given.write("secret.txt", "postgresql://u:hunter2@db/reclaim\n")
    given.set(**{f"{variable(field)}_FILE": str(path)})

    assert getattr(given.load(field), field).get_secret_value() == "postgresql://u:hunter2@db/reclaim"


def test_a_secret_from_a_file_is_checked_like_any_other(given: Surroundings) -> None:
    given.set(RECLAIM_DATABASE_URL_FILE=str(given.write("secret.txt", "mysql://u:hunter2@db/reclaim")))

    (problem,) = given.problems()

    assert problem.startswith("RECLAIM_DATABASE_URL begins neither")


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_secret_file_without_text_is_a_problem(given: Surroundings, content: bytes) -> None:
    path = given.write("secret.txt", "")
    path.write_bytes(content)
    given.set(RECLAIM_CLIENT_SECRET_FILE=str(path))

    (problem,) = given.problems()

    assert problem.startswith("RECLAIM_CLIENT_SECRET cannot be read: the file of RECLAIM_CLIENT_SECRET_FILE is empty")


def test_a_secret_given_twice_is_a_problem(given: Surroundings) -> None:
    path = given.write("secret.txt", "one")
    given.set(RECLAIM_CLIENT_SECRET="two", RECLAIM_CLIENT_SECRET_FILE=str(path))

    (problem,) = given.problems()

    assert problem.startswith("RECLAIM_CLIENT_SECRET is given twice")


def test_secrets_are_never_printed(given: Surroundings) -> None:
    given.set(RECLAIM_CLIENT_SECRET="hunter2", RECLAIM_DATABASE_URL="postgresql://reclaim:hunter2@db/reclaim")

    settings = given.load()

    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_secrets_are_not_printed_by_problems_either(given: Surroundings) -> None:
    given.set(
        RECLAIM_CLIENT_SECRET="hunter2",
        RECLAIM_CLIENT_SECRET_FILE=str(given.write("secret.txt", "hunter2")),
        RECLAIM_DATABASE_URL="mysql://reclaim:hunter2@db/reclaim",
        RECLAIM_GRAPH_URL="https://reclaim:hunter2@graph.microsoft.com/v1.0",
    )

    problems = given.problems()

    assert len(problems) == 3
    assert "hunter2" not in " ".join(problems)


def test_a_rehearsal_takes_nothing_from_outside(given: Surroundings) -> None:
    given.set(RECLAIM_WRITES="live", RECLAIM_DATABASE_URL="postgresql://db/reclaim")
    given.write("reclaim.toml", "idle_days = 60\n")

    settings = Settings(zone="Europe/Berlin")

    assert (settings.writes, settings.idle_days, settings.zone) == ("dry_run", 90, "Europe/Berlin")
    assert settings.database_url.get_secret_value() == "sqlite:///reclaim.db"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().writes = "live"


def test_a_slack_token_is_never_shown_in_a_problem(given: Surroundings) -> None:
    given.set(RECLAIM_SLACK_BOT_TOKEN="xoxp-canary", RECLAIM_TOKEN_KEY="canary")

    assert "canary" not in " ".join(given.problems())


def test_slacks_address_ends_in_a_slash(given: Surroundings) -> None:
    given.set(RECLAIM_SLACK_API_URL="http://127.0.0.1:4150/api")

    assert given.load().slack_api_url == "http://127.0.0.1:4150/api/"


@pytest.mark.parametrize(
    ("cloud", "login", "graph"),
    [
        ("global", "https://login.microsoftonline.com", "https://graph.microsoft.com/v1.0"),
        ("gcc_high", "https://login.microsoftonline.us", "https://graph.microsoft.us/v1.0"),
        ("dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us/v1.0"),
        ("china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn/v1.0"),
    ],
)
def test_a_cloud_is_one_setting(given: Surroundings, cloud: str, login: str, graph: str) -> None:
    given.set(RECLAIM_CLOUD=cloud)

    settings = given.load()

    assert (settings.login_url, settings.graph_url) == (login, graph)


def test_an_address_of_its_own_wins_over_the_cloud(given: Surroundings) -> None:
    given.set(RECLAIM_CLOUD="dod", RECLAIM_GRAPH_URL="https://graph.example/v1.0")

    settings = given.load()

    assert (settings.login_url, settings.graph_url) == (
        "https://login.microsoftonline.us",
        "https://graph.example/v1.0",
    )


def test_an_unknown_cloud_is_refused_with_the_known_ones(given: Surroundings) -> None:
    given.set(RECLAIM_CLOUD="moon")

    (problem,) = given.problems()

    assert "RECLAIM_CLOUD" in problem
    assert "gcc_high, dod or china" in problem


def test_a_certificate_serves_in_place_of_the_secret_and_not_beside_it(given: Surroundings) -> None:
    pem = given.write("reclaim.pem", "any text: it is read when it is used")
    given.set(RECLAIM_TENANT_ID=TENANT, RECLAIM_CLIENT_ID=ADA)

    (missing,) = given.problems(*DIRECTORY)
    given.set(RECLAIM_CLIENT_CERTIFICATE=str(pem))
    settings = given.load(*DIRECTORY)
    given.set(RECLAIM_CLIENT_SECRET="s")
    (both,) = given.problems(*DIRECTORY)

    assert "or RECLAIM_CLIENT_CERTIFICATE" in missing
    assert settings.client_certificate == pem
    assert "RECLAIM_CLIENT_CERTIFICATE is given together with RECLAIM_CLIENT_SECRET" in both


def test_an_application_that_writes_is_whole_or_refused(given: Surroundings) -> None:
    given.set(RECLAIM_WRITER_CLIENT_ID=GRACE)
    (no_secret,) = given.problems()
    given.set(RECLAIM_WRITER_CLIENT_SECRET="s")

    settings = given.load()

    assert "a secret or a certificate is missing" in no_secret
    assert settings.writer_client_id == GRACE


def test_a_secret_for_writing_without_its_application_is_refused(given: Surroundings) -> None:
    given.set(RECLAIM_WRITER_CLIENT_SECRET="s")

    (problem,) = given.problems()

    assert "of which RECLAIM_WRITER_CLIENT_ID is missing" in problem
