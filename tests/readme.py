"""The tables of README.md that come from the code. `python -m tests.readme` writes them; a test compares."""

from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path

from pydantic import SecretStr

from bot.commands import COMMANDS
from reclaim.domain.roles import Role
from reclaim.settings import Settings

README = Path(__file__).parents[1] / "README.md"
ROLE_NAMES = {
    Role.ADMIN: "admin",
    Role.LICENSE_MANAGER: "license manager",
    Role.AUDITOR: "auditor",
    Role.OPERATOR: "operator",
}


def commands() -> str:
    """Return the table of verbs."""
    lines = ["| command | what it does | who |", "|---|---|---|"]
    for verb in COMMANDS:
        everyone = Role.EMPLOYEE in verb.roles
        who = "everyone" if everyone else ", ".join(name for role, name in ROLE_NAMES.items() if role in verb.roles)
        lines.append(f"| `{_plain(verb.usage)}` | {verb.summary} | {who} |")
    return "\n".join(lines)


def settings() -> str:
    """Return the table of settings."""
    lines = ["| setting | must be | for example | default |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        example = field.examples[0] if field.examples else ""
        lines.append(f"| `RECLAIM_{name.upper()}` | {field.description} | `{example}` | {_default(field.default)} |")
    return "\n".join(lines)


def written(text: str) -> str:
    """Return README with both tables as the code has them."""
    for name, table in (("commands", commands()), ("settings", settings())):
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        _, _, after = rest.partition(f"<!-- /{name} -->")
        text = f"{before}<!-- {name} -->\n{table}\n<!-- /{name} -->{after}"
    return text


def _default(value: object) -> str:
    """Return a default as one would write it; nothing where there is none."""
    if value is None or value == frozenset():
        return ""
    if isinstance(value, timedelta):
        hours = int(value.total_seconds()) // 3600
        return f"`{hours // 24}d`" if hours % 24 == 0 and hours > 24 else f"`{hours}h`"
    if isinstance(value, time):
        return f"`{value:%H:%M}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    if isinstance(value, Mapping):
        return f"`{','.join(f'{key}={text}' for key, text in value.items())}`"
    shown = value.get_secret_value() if isinstance(value, SecretStr) else value
    return f"`{shown}`"


def _plain(usage: str) -> str:
    return usage.replace("|", "\\|")


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
