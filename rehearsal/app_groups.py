"""Applications whose license comes with membership of a group, and what a list of their use says of the people in it.

The list is what an endpoint tool would export: one row a person and device. Who is not on it, of them nobody knows. The
generator says of everybody what is so (`Use`), and the list is made of that.
"""

from dataclasses import dataclass
from enum import StrEnum

from rehearsal.clock import DAY, text


class Use(StrEnum):
    """What is so of one person and application; a program with a window of 30 days may ask or take only the first."""

    UNUSED = "unused"
    USED = "used"
    UNKNOWN = "unknown"  # no row, or one of a device that was not seen for weeks
    OUTSIDER = "outsider"  # unused, and not in the group


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the list: days before the start on which it was used last, and on which the device was seen."""

    used_days: int
    seen_days: int
    device: str


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the cast and their use."""

    name: str
    use: Use
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class AppGroup:
    """One application with its group."""

    key: str
    group: str
    application: str
    members: tuple[Member, ...]

    @property
    def players(self) -> tuple[str, ...]:
        """Who is in the group."""
        return tuple(member.name for member in self.members if member.use is not Use.OUTSIDER)


APP_GROUPS: tuple[AppGroup, ...] = (
    AppGroup(
        "app-miro",
        "App Miro users",
        "Miro",
        (
            Member("Adele Vance", Use.UNUSED, (Row(45, 1, "DESK-0147"),)),
            Member("Isaiah Langer", Use.UNUSED, (Row(61, 1, "DESK-0151"), Row(88, 1, "LAP-2203"))),
            Member("Megan Bowen", Use.USED, (Row(2, 1, "LAP-2210"),)),
            Member("Miriam Graham", Use.USED, (Row(80, 1, "DESK-0160"), Row(4, 1, "LAP-2231"))),
            Member("Debra Berger", Use.UNKNOWN),
            Member("Sarah Perez", Use.UNKNOWN, (Row(70, 40, "DESK-0172"),)),
            Member("Lynne Robbins", Use.OUTSIDER, (Row(90, 1, "LAP-2240"),)),
        ),
    ),
    AppGroup(
        "app-acrobat",
        "App Acrobat users",
        "Acrobat Pro",
        (
            Member("Nestor Wilke", Use.UNUSED, (Row(120, 1, "DESK-0180"),)),
            Member("Pradeep Gupta", Use.UNUSED, (Row(33, 1, "LAP-2252"),)),
            Member("Ben Walters", Use.USED, (Row(1, 1, "LAP-2260"),)),
            Member("Delia Dennis", Use.UNKNOWN),
        ),
    ),
)


def usage_csv(start: int, upn_of: dict[str, str]) -> str:
    """Return the list as CSV.

    Args:
        start: The tenant's time at its start, in seconds since 1970.
        upn_of: Name → user principal name, of the cast that is there.
    """
    lines = ["upn,application,last_used,device,observed_at"]
    for app in APP_GROUPS:
        for member in app.members:
            if member.name not in upn_of:
                continue
            lines += [
                f"{upn_of[member.name]},{app.application},{text(start - row.used_days * DAY)},{row.device},"
                f"{text(start - row.seen_days * DAY)}"
                for row in member.rows
            ]
    return "\n".join([*lines, "nobody@elsewhere.example,Miro,2026-01-01,DESK-9999," + text(start - DAY), ""])
