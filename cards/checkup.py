"""The checkup: what must be mended first, each with what it means and how; what passes is folded away."""

from collections.abc import Sequence
from datetime import timedelta

from cards import formats
from cards.phrases import sku
from cards.usage import SHOW_NAMES
from cards.view import Action, CardView, Element, Expandable, Headline, Paragraph, Row, Rows, Strip, Tone
from reclaim.domain.checkup import Check, CheckName, Checkup, Outcome
from reclaim.domain.workloads import ReportState

_SHOWN = 5  # SKUs without a price that are named
_TITLES = {
    CheckName.DATABASE: "Database",
    CheckName.JOBS: "Background work",
    CheckName.ENTRA: "Sign-in to Microsoft Entra",
    CheckName.ENTRA_WRITER: "Sign-in of the application that writes",
    CheckName.CLOCK: "Clock of this machine",
    CheckName.READ_PEOPLE: "Reading people (User.Read.All)",
    CheckName.READ_LICENSES: "Reading licenses (LicenseAssignment.Read.All)",
    CheckName.READ_GROUPS: "Reading groups (GroupMember.Read.All)",
    CheckName.READ_SIGN_INS: "Reading sign-ins (AuditLog.Read.All)",
    CheckName.READ_ROLES: "Reading admin roles (RoleManagement.Read.Directory)",
    CheckName.USAGE_REPORTS: "Usage reports (Reports.Read.All, optional)",
    CheckName.READ_MAILBOXES: "Kinds of mailboxes (MailboxSettings.Read, optional)",
    CheckName.INTUNE: "Devices in Intune",
    CheckName.NEXTHINK: "Nexthink",
    CheckName.PREMIUM: "Sign-in data of this tenant (Entra ID P1)",
    CheckName.WRITE_LICENSES: "Removing licenses (LicenseAssignment.ReadWrite.All)",
    CheckName.WRITE_MEMBERS: "Leaving groups (GroupMember.ReadWrite.All)",
    CheckName.DATA: "Age of the data",
    CheckName.PRICES: "Prices",
    CheckName.CHAT: "Chat",
    CheckName.ADMINS: "Admins",
    CheckName.FALLBACK: "Fallback reviewer",
}
_CHATS = {"teams": "Microsoft Teams", "slack": "Slack", "web": "Browser chat"}
_NO_CONSENT = (
    "{permission} is missing. {meaning} Add it in Entra admin center › App registrations › API permissions (Microsoft "
    "Graph, application permission), then grant it: {link}"
)
_MISSING = {
    CheckName.READ_PEOPLE: ("User.Read.All", "Nothing can be read."),
    CheckName.READ_LICENSES: ("LicenseAssignment.Read.All", "SKUs and their numbers cannot be read."),
    CheckName.READ_GROUPS: ("GroupMember.Read.All", "Seats that come through groups cannot be planned."),
    CheckName.READ_SIGN_INS: ("AuditLog.Read.All", "Only disabled accounts can be judged."),
    CheckName.READ_ROLES: (
        "RoleManagement.Read.Directory",
        "Accounts that hold an admin role, such as emergency accounts, are not left out of campaigns. It is optional: they "
        "can be excluded by name, group or employee type too.",
    ),
    CheckName.READ_MAILBOXES: (
        "MailboxSettings.Read",
        "Shared, room and equipment mailboxes look like people who do not sign in.",
    ),
    CheckName.WRITE_LICENSES: ("LicenseAssignment.ReadWrite.All", "Removals of direct seats would fail."),
    CheckName.WRITE_MEMBERS: ("GroupMember.ReadWrite.All", "Removals of seats through groups would fail."),
}
_TONES = {Outcome.FIX: Tone.BAD, Outcome.UNKNOWN: Tone.WARNING, Outcome.WITHOUT: Tone.NEUTRAL}
_MARKS = {Outcome.FIX: "", Outcome.UNKNOWN: ": not checked", Outcome.WITHOUT: ": done without"}
_WORDS = {Outcome.FIX: "FIX", Outcome.UNKNOWN: "NOT CHECKED", Outcome.WITHOUT: "DONE WITHOUT"}
_WRITING = frozenset({CheckName.WRITE_LICENSES, CheckName.WRITE_MEMBERS})


def checkup_card(found: Checkup, zone: str) -> CardView:
    """Draw how an installation stands."""
    bad, total = found.to_fix, len(found.checks)
    headline = f"{len(found.passed)} of {formats.count(total, 'check')} pass"
    fix = sum(check.outcome is Outcome.FIX for check in bad)
    body: list[Element] = [_problem(check, found) for check in bad]
    if found.well:
        body.insert(0, Strip(tone=Tone.GOOD, text="Everything that a campaign needs is in place."))
    if not found.live:
        body.append(Paragraph("Dry run: people are asked, nothing is removed. RECLAIM_WRITES=live changes that."))
    if found.passed:
        passing = Rows(rows=tuple(Row(title=_title(check), subtitle=_value(check)) for check in found.passed))
        body.append(Expandable(label=f"Show what passes ({len(found.passed)})", content=(passing,)))
    return CardView(
        kind="checkup",
        headline=Headline(
            title=headline, amount=f"{fix} to fix" if fix else None, context=formats.moment(found.at, zone)
        ),
        body=tuple(body),
        actions=(
            Action(label="Check again", verb="doctor.again", ref="all"),
            Action(label="Get as text", verb="doctor.text", ref="all"),
        ),
        fallback=f"{headline}, {fix} to fix." if fix else f"{headline}.",
    )


def checkup_text(found: Checkup, zone: str) -> str:
    """Return the checkup as lines, to be sent on: no name of a person is in it."""
    lines = [f"Reclaim checkup, {formats.moment(found.at, zone)}"]
    for check in found.to_fix:
        lines.append(f"{_WORDS[check.outcome]}  {_title(check)}: {_what(check, found)}")
    lines += [f"ok  {_title(check)}: {_value(check)}" for check in found.passed]
    return "\n".join(lines) + "\n"


def _title(check: Check) -> str:
    if check.name is CheckName.CHAT and check.about:
        return _CHATS.get(check.about[0], check.about[0])
    return _TITLES[check.name]


def _problem(check: Check, found: Checkup) -> Strip:
    title = f"{_title(check)}{_MARKS[check.outcome]}"
    return Strip(tone=_TONES[check.outcome], text=title, detail=_what(check, found))


def _what(check: Check, found: Checkup) -> str:
    """Return what is wrong, what it means and the exact fix."""
    if check.outcome is Outcome.UNKNOWN:
        return check.said or _not_known(check)
    if missing := _MISSING.get(check.name):
        permission, meaning = missing
        if check.name in _WRITING and not found.live:
            meaning += " This installation is in dry run, so nothing fails yet."
        link = found.writer_link if check.name in _WRITING else found.consent_link
        return _NO_CONSENT.format(permission=permission, meaning=meaning, link=link)
    since = formats.length(check.since or timedelta())
    match check.name:
        case CheckName.JOBS:
            return (
                f"{formats.count(check.number or 0, 'job')} wait, the oldest for {since}. Nothing is sent, "
                "closed or removed meanwhile. Start the server: reclaim serve"
            )
        case CheckName.CLOCK:
            return (
                f"It differs from Microsoft's by {since}. Due dates and ages are wrong by as much, and "
                "certificates may be refused. Set the machine's clock by NTP."
            )
        case CheckName.PREMIUM:
            return (
                "Microsoft gives sign-in data only to tenants with Entra ID P1 or P2. Without it only disabled accounts "
                "can be judged."
            )
        case CheckName.DATA:
            if check.since is None:
                return "The tenant was never read completely. No campaign can start. Read it now: /reclaim sync"
            return f"The data is {since} old. No campaign can start. Read it now: /reclaim sync"
        case CheckName.PRICES:
            return f"{_unpriced(check)} Their savings are not counted. Set one: /reclaim price SKU AMOUNT CURRENCY"
        case CheckName.ADMINS:
            held = "Nobody holds" if not check.number else "Only one person holds"
            return (
                f"{held} the role Admin. What needs a second person's Confirm, such as a large campaign or a resume, cannot "
                "go on. Add object ids of people or groups to RECLAIM_ADMINS."
            )
        case CheckName.FALLBACK:
            fault = "is no enabled person of the last sync" if check.number else "is not set"
            return (
                f"RECLAIM_FALLBACK_REVIEWER {fault}. A seat whose holder has no manager has nobody to judge it. Set the "
                "object id of a person."
            )
        case CheckName.USAGE_REPORTS:
            return _no_reports(check, found)
        case CheckName.INTUNE:
            return _no_intune(check, found)
        case CheckName.NEXTHINK:
            return f"{check.said} Consent programs that go by Nexthink do not run until then."
        case CheckName.CHAT if not check.about:
            return (
                "No chat service is connected, so nobody can be asked. Set up Microsoft Teams (RECLAIM_TEAMS_APP_ID …) or "
                "Slack (RECLAIM_SLACK_SIGNING_SECRET …)."
            )
        case _:
            return check.said


def _no_reports(check: Check, found: Checkup) -> str:
    meaning = (
        "Seats are judged by sign-ins."
        if check.outcome is Outcome.WITHOUT
        else "RECLAIM_USAGE_REPORTS is on, so that seats should be judged by them too."
    )
    match ReportState(check.about[0]):
        case ReportState.NOT_OFFERED:
            return f"This cloud has no usage reports. {meaning}"
        case ReportState.CONCEALED:
            return f"{SHOW_NAMES} {meaning}"
        case ReportState.NO_PERMISSION:
            return _NO_CONSENT.format(permission="Reports.Read.All", meaning=meaning, link=found.consent_link)
        case _:
            return f"{check.said} {meaning}"


def _no_intune(check: Check, found: Checkup) -> str:
    meaning = "Consent programs that go by Intune do not run until then."
    if not check.about:
        return f"{check.said} {meaning}"
    return _NO_CONSENT.format(permission=check.about[0], meaning=meaning, link=found.consent_link)


def _not_known(check: Check) -> str:
    match check.name:
        case CheckName.READ_MAILBOXES:
            return "The token does not tell."
        case CheckName.WRITE_LICENSES | CheckName.WRITE_MEMBERS:
            return "The token does not tell. A campaign can start; its first removal shows it."
        case CheckName.CLOCK:
            return "Microsoft Graph gave no answer to compare with."
        case CheckName.PREMIUM | CheckName.READ_SIGN_INS:
            return "It can be told only when the other check of sign-ins passes."
        case _:
            return "No answer came in time. Check again in a minute."


def _value(check: Check) -> str:
    """Return what was found where a check passes."""
    match check.name:
        case CheckName.JOBS:
            return formats.count(check.number or 0, "job waits", "jobs wait")
        case CheckName.DATA:
            return f"{formats.length(check.since or timedelta())} old"
        case CheckName.ADMINS:
            return formats.count(check.number or 0, "person", "people")
        case CheckName.PRICES:
            return "Every SKU has one"
        case CheckName.CLOCK:
            return "Right"
        case _:
            return "Works"


def _unpriced(check: Check) -> str:
    named: Sequence[str] = [sku(name) for name in check.about[:_SHOWN]]
    more = len(check.about) - len(named)
    listed = ", ".join(named) + (f" and {formats.number(more)} more" if more else "")
    return f"{formats.count(check.number or 0, 'SKU has', 'SKUs have')} no price: {listed}."
