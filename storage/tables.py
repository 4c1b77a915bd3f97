"""All tables. Aware UTC instants, string ids, money in minor units with currency; constraints stand here as well.

DBOS keeps tables of its own beside ours: none of these names may be one of them (a test holds that).
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.types import JSON

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite keeps it naive, so the zone is checked going in and put back coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime may not be stored")
        at = value.astimezone(UTC)
        return at if dialect.name == "postgresql" else at.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# The installation ----------------------------------------------------------------------------------------------------
installation = Table(
    "installation",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)
freezes = Table(
    "freezes",
    metadata,
    Column("id", String, primary_key=True),
    Column("stops", String, nullable=False),  # "writes"; what the unique index below can stand on
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", String),
)
# On a plain column: migrations cannot compare an index over an expression.
Index(
    "uq_freezes_open",
    freezes.c.stops,
    unique=True,
    sqlite_where=freezes.c.ended_at.is_(None),
    postgresql_where=freezes.c.ended_at.is_(None),
)
resume_requests = Table(
    "resume_requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("freeze_id", ForeignKey("freezes.id"), nullable=False, index=True),
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)
launch_requests = Table(
    "launch_requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("draft_ref", String, nullable=False, index=True),
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("run_id", String, nullable=False),
    Column("seats_sha256", String, nullable=False),
    Column("draft_sha256", String, nullable=False),
    Column("items", Integer, nullable=False),
    Column("limit", Integer, nullable=False),
    Column("asked", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("settled_by", String),
    Column("settled_at", Instant),
)
# One request waits for a draft at a time.
Index(
    "uq_launch_requests_asked",
    launch_requests.c.draft_ref,
    unique=True,
    sqlite_where=launch_requests.c.state == "asked",
    postgresql_where=launch_requests.c.state == "asked",
)
drafts = Table(
    "drafts",
    metadata,
    Column("ref", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("state", JSON, nullable=False),
    Column("at", Instant, nullable=False),
)
seen_requests = Table(
    "seen_requests",
    metadata,
    Column("key", String, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("keep_until", Instant, index=True),  # null: for ever
)

# The directory, in generations ---------------------------------------------------------------------------------------
sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("completed_at", Instant),
    Column("requested_by", String),
    Column("people", Integer, nullable=False, default=0),
    Column("seats", Integer, nullable=False, default=0),
    Column("gone_people", Integer, nullable=False, default=0),
    Column("gone_seats", Integer, nullable=False, default=0),
    Column("sign_ins", String, nullable=False, default="known"),
    Column("roles", String, nullable=False, default="unread"),
    Column("error", Text),
    Column("attempt", Integer, nullable=False, default=0),
    Column("kind", String, nullable=False, server_default="full"),  # full, changes
    Column("resynced", Boolean, nullable=False, server_default=false()),
)
Index(
    "uq_sync_runs_running",
    sync_runs.c.state,
    unique=True,
    sqlite_where=sync_runs.c.state == "running",
    postgresql_where=sync_runs.c.state == "running",
)
sync_cursors = Table(
    "sync_cursors",
    metadata,
    Column("run_id", ForeignKey("sync_runs.id"), primary_key=True),
    Column("stream", String, primary_key=True),
    Column("next_cursor", Text),
    Column("done", Boolean, nullable=False),
    Column("page", Integer, nullable=False),
)
sync_requests = Table(
    "sync_requests",
    metadata,
    Column("run_id", ForeignKey("sync_runs.id"), primary_key=True),
    Column("stream", String, primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("request_id", String, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("sha256", String, nullable=False),
    Column("at", Instant, nullable=False),
)
sync_changes = Table(
    "sync_changes",
    metadata,
    Column("run_id", ForeignKey("sync_runs.id"), primary_key=True),
    Column("person_id", String, primary_key=True),
    Column("state", String, nullable=False),  # waiting, there, gone
)
Index("ix_sync_changes_waiting", sync_changes.c.run_id, sync_changes.c.state, sync_changes.c.person_id)
people = Table(
    "people",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("upn", String, nullable=False, index=True),
    Column("mail", String),
    Column("enabled", Boolean),
    Column("user_type", String),
    Column("department", String),
    Column("employee_type", String),
    Column("usage_location", String),
    Column("created_at", Instant),
    Column("manager_id", String, index=True),  # not a foreign key: a manager may come on a later page, or be no person
    Column("success_at", Instant),
    Column("interactive_at", Instant),
    Column("background_at", Instant),
    Column("sign_ins_run", String),
    Column("sign_ins_read_at", Instant),  # null: unknown
    Column("disabled_seen_at", Instant),
    Column("folded", Text, nullable=False),  # what a search compares: see repositories.people.folded
    Column(
        "since_run", String, nullable=False
    ),  # the run that saw the person first, or first again after they were gone
    Column("seen_run", String, nullable=False, index=True),
    Column("gone_at", Instant),
)
products = Table(
    "products",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),  # sku; application groups come with consent programs
    Column("name", String, nullable=False),
)
skus = Table(
    "skus",
    metadata,
    Column("id", ForeignKey("products.id"), primary_key=True),
    Column("part_number", String, nullable=False, index=True),
    Column("enabled", Integer, nullable=False),
    Column("warning", Integer, nullable=False),
    Column("suspended", Integer, nullable=False),
    Column("consumed", Integer, nullable=False),
    Column("assignable", Boolean, nullable=False),
    Column("status", String, nullable=False),
    Column("plans", JSON, nullable=False),  # [[id, name], …]
    Column("seen_run", String, nullable=False),
    Column("gone_at", Instant),
)
# Learnt from refusals: a service plan works only beside one of these others.
plan_needs = Table(
    "plan_needs",
    metadata,
    Column("plan_id", String, primary_key=True),
    Column("needed_ids", JSON, nullable=False),
    Column("at", Instant, nullable=False),
)
groups = Table(
    "groups",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("dynamic", Boolean, nullable=False),
    Column("security_enabled", Boolean),
    Column("mail_enabled", Boolean),
    Column("unified", Boolean, nullable=False),
    Column("synced", Boolean),
    Column("role_assignable", Boolean),
    Column("restricted", Boolean),
    Column("has_nested_groups", Boolean),
    Column("seen_run", String, nullable=False),
    Column("gone_at", Instant),
)
group_products = Table(
    "group_products",
    metadata,
    Column("group_id", ForeignKey("groups.id"), primary_key=True),
    Column("product_id", String, primary_key=True),
)
role_members = Table(
    "role_members",
    metadata,
    Column("group_id", String, primary_key=True),
    Column("person_id", String, primary_key=True, index=True),
    Column("seen_run", String, nullable=False),
)
product_owners = Table(
    "product_owners",
    metadata,
    Column("product_id", String, primary_key=True),
    Column("owner_kind", String, nullable=False),  # person, group
    Column("owner_id", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
)
person_addresses = Table(
    "person_addresses",
    metadata,
    Column("address", String, primary_key=True),  # lower case, besides the person's mail and user principal name
    Column("person_id", String, primary_key=True, index=True),
)
seats = Table(
    "seats",
    metadata,
    Column("id", String, primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False, index=True),
    Column("product_id", String, nullable=False, index=True),
    Column("since_run", String, nullable=False),  # as for people
    Column("seen_run", String, nullable=False, index=True),
    Column("gone_at", Instant),
    UniqueConstraint("person_id", "product_id"),
)
# Seats that have gone since a scan are taken out of its sums: there are few, and they must be found at once.
Index(
    "ix_seats_gone_at",
    seats.c.gone_at,
    sqlite_where=seats.c.gone_at.is_not(None),
    postgresql_where=seats.c.gone_at.is_not(None),
)
seat_paths = Table(
    "seat_paths",
    metadata,
    Column("seat_id", ForeignKey("seats.id"), primary_key=True),
    Column("via", String, primary_key=True),  # a group id, or "direct"
    Column("state", String, nullable=False),
    Column("error", String),
    Column("disabled_plans", JSON, nullable=False),
    Column("updated_at", Instant),
    Column("seen_run", String, nullable=False),
)
# Usage reports. A reading beside another: what counts is the newest whole one of each report.
usage_reports = Table(
    "usage_reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("report", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("state", String, nullable=False),  # reading, whole, dropped
    Column("read_at", Instant, nullable=False),
    Column("refreshed_on", Date),  # the last day that it covers; null until it is whole
    Column("rows", Integer, nullable=False),
    Column("unmatched", Integer, nullable=False),
)
report_readings = Table(
    "report_readings",
    metadata,
    Column("report", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("said", Text, nullable=False),
)
workload_use = Table(
    "workload_use",
    metadata,
    Column("report_id", Integer, primary_key=True, autoincrement=False),
    Column("upn", String, primary_key=True),  # in lower case: reports name people by nothing else
    Column("counted", Integer, nullable=False),  # bits, see repositories.workloads
    Column("licensed_at", Instant),
    Column("exchange_at", Instant),
    Column("onedrive_at", Instant),
    Column("sharepoint_at", Instant),
    Column("skype_at", Instant),
    Column("viva_engage_at", Instant),
    Column("teams_at", Instant),
    Column("apps_at", Instant),
    Column("visio_at", Instant),
    Column("project_at", Instant),
    sqlite_with_rowid=False,
)
# What the mailboxes of people with an idle seat are for.
mailbox_purposes = Table(
    "mailbox_purposes",
    metadata,
    Column("person_id", String, primary_key=True),
    Column("purpose", String, nullable=False),
    Column("read_at", Instant, nullable=False),
)
prices = Table(
    "prices",
    metadata,
    Column("source", String, primary_key=True),
    Column("sku", String, primary_key=True),  # folded skuId, part number or product name
    Column("valid_from", Date, primary_key=True),  # 0001-01-01: since ever
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("period", String, nullable=False),
    Column("renews_on", Date),
    Column("at", Instant, nullable=False),
)
# What the order of each product was, one row a change: the first row is where our record begins.
pool_changes = Table(
    "pool_changes",
    metadata,
    Column("product_id", String, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("enabled", Integer, nullable=False),
)
# Every day on which a contract renews, kept when the price list goes on to the next one.
renewals = Table(
    "renewals",
    metadata,
    Column("product_id", String, primary_key=True),
    Column("renews_on", Date, primary_key=True),
    Column("seen_at", Instant, nullable=False),
)
realised_savings = Table(
    "realised_savings",
    metadata,
    Column("item_id", ForeignKey("review_items.id"), primary_key=True),
    Column("campaign_id", String, nullable=False, index=True),
    Column("product_id", String, nullable=False),
    Column("realised_at", Instant, nullable=False),
    Column("monthly_minor", BigInteger),
    Column("currency", String(3)),
)
exclusions = Table(
    "exclusions",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("value", String, nullable=False),
    Column("same_value", String, nullable=False),  # what decides whether two exclusions are one: domain.exclusions
    Column("strength", String, nullable=False),  # as domain.exclusions.Exclusion.strength
    Column("reason", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("until", Instant),  # null: until somebody ends it
    Column("ended_at", Instant),
    Column("ended_by", String),
)
Index(
    "uq_exclusions_open",
    exclusions.c.kind,
    exclusions.c.same_value,
    unique=True,
    sqlite_where=exclusions.c.ended_at.is_(None),
    postgresql_where=exclusions.c.ended_at.is_(None),
)

# Whom an exclusion holds that goes by none of a person's own fields: its kind and `same_value`, and who was seen when.
listed_people = Table(
    "listed_people",
    metadata,
    Column("kind", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("person_id", String, primary_key=True, index=True),  # as the directory names a member, person or not
    Column("seen_at", Instant, nullable=False),
)
# When people are away, as HR says, and never why. One list counts at a time, and is replaced whole.
absence_lists = Table(
    "absence_lists",
    metadata,
    Column("id", String, primary_key=True),
    Column("state", String, nullable=False),  # loading, counting, dropped
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("absences", Integer, nullable=False),
)
Index(
    "uq_absence_lists_counting",
    absence_lists.c.state,
    unique=True,
    sqlite_where=absence_lists.c.state == "counting",
    postgresql_where=absence_lists.c.state == "counting",
)
absences = Table(
    "absences",
    metadata,
    Column("list_id", ForeignKey("absence_lists.id"), primary_key=True),
    Column("person_id", String, primary_key=True),
    Column("starts_at", Instant, primary_key=True),
    Column("ends_at", Instant, nullable=False),  # the first instant at which the person is back
)

# Idle seats, in scans: a scan is written in chunks and counts once it is complete; readers use the newest complete one ----
idle_scans = Table(
    "idle_scans",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", ForeignKey("sync_runs.id"), nullable=False),
    Column("state", String, nullable=False),  # building, complete, dropped
    Column("judged_at", Instant, nullable=False),
    Column("data_as_of", Instant, nullable=False),
)
# Kept by product, then seat: the scan judges in the order of seat ids, which are in no order of anything else, and so
# appends at one place per product. Any other index on it would be written all over by each of its commits.
findings = Table(
    "findings",
    metadata,
    Column("scan_id", Integer, primary_key=True, autoincrement=False),
    Column("product_id", String, primary_key=True),
    Column("seat_id", String, primary_key=True),
    Column("person_id", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("quiet_since", Instant, nullable=False),
    Column("last_seen_at", Instant),
    Column("last_seen_kind", String),
    Column("assigned_at", Instant),
    Column("exclusion_id", String),  # the strongest that held the seat when it was last looked at; it may have expired
    Column("last_used_at", Instant),  # by usage reports, as the next one: only for the rule that reads them
    Column("reported_at", Instant),
    sqlite_with_rowid=False,
)
# The findings in the order of a list, with all that a list is chosen by: a page reads nothing else to know its seats.
# Written behind the judging, in order; an index on `findings` would hold the same and take ten times as long.
finding_order = Table(
    "finding_order",
    metadata,
    Column("scan_id", Integer, primary_key=True, autoincrement=False),
    Column("product_id", String, primary_key=True),
    Column("quiet_since", Instant, primary_key=True),
    Column("seat_id", String, primary_key=True),
    Column("rule", String, nullable=False),
    Column("exclusion_id", String),  # always that of the finding
    sqlite_with_rowid=False,
)
# What a window adds up, day by day: only the day in which a window begins is counted in `finding_order`.
finding_days = Table(
    "finding_days",
    metadata,
    Column("scan_id", Integer, primary_key=True, autoincrement=False),
    Column("product_id", String, primary_key=True),
    Column("day", String(10), primary_key=True),  # of quiet_since, in UTC: 2026-12-04
    Column("rule", String, primary_key=True),
    Column("exclusion_id", String, primary_key=True),  # "": none
    Column("seats", Integer, nullable=False),
)
scan_verdicts = Table(
    "scan_verdicts",
    metadata,
    Column("scan_id", Integer, primary_key=True, autoincrement=False),
    Column("product_id", String, primary_key=True),
    Column("verdict", String, primary_key=True),  # idle, or a domain.idle.NotIdleWhy
    Column("held", Boolean, primary_key=True),  # whether a path gives the seat
    Column("seats", Integer, nullable=False),
)

# Campaigns -----------------------------------------------------------------------------------------------------------
campaigns = Table(
    "campaigns",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("owner_id", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("zone", String, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("shown_close_at", Instant, nullable=False),
    Column("strategy", String, nullable=False),
    Column("reviewer_id", String),
    Column("fallback_id", String),
    Column("silence", String, nullable=False),
    Column("scope", JSON, nullable=False),
    Column("mode", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("opened_at", Instant),
    Column("closing_at", Instant),
    Column("closed_at", Instant),
    Column("pause_reason", String),
    Column("abandoned_by", String),
    Column("extended_at", Instant),
    Column("cancelled_by", String),
    Column("cancel_reason", Text),
)
frozen_seats = Table(
    "frozen_seats",
    metadata,
    Column("campaign_id", ForeignKey("campaigns.id"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("seat_ids", JSON, nullable=False),
    Column("number", Integer, nullable=False),
    Column("opened", Boolean, nullable=False),
)
review_items = Table(
    "review_items",
    metadata,
    Column("id", String, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("seat_id", String, nullable=False),
    Column("person_id", String, nullable=False, index=True),
    Column("product_id", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("recommendation", String, nullable=False),
    Column("snapshot", JSON, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("monthly_minor", BigInteger),
    Column("currency", String(3)),
    Column("version", Integer, nullable=False),
    Column("assignee_id", String),
    Column("assignee_kind", String, nullable=False, server_default="person"),  # person, group
    Column("assigned_how", String, nullable=False),
    Column("assigned_reason", Text),
    Column("delegated_by", String),
    Column("moved_from", String),  # who had it before the last move, a person or a group
    Column("moved_by", String),  # who reassigned it
    Column("handovers", Integer, nullable=False),
    Column("not_sure_by", String),
    Column("choice", String),
    Column("answered_by", String),
    Column("answered_at", Instant),
    Column("batch_id", String, index=True),
    Column("keep_reason", String),
    Column("note", Text),
    Column("keep_until", Date),
    Column("data_loss", String),  # anyway, convert_first
    Column("waiting", String),
    Column("outcome", String),
    Column("outcome_reason", String),
    Column("outcome_at", Instant),
    Column("verified_at", Instant),
    UniqueConstraint("campaign_id", "seat_id"),
)
# Two indexes that answer for a whole campaign alone: an item's row is mostly its frozen evidence, ten times as long.
Index(
    "ix_review_items_reviewer",
    review_items.c.campaign_id,
    review_items.c.assignee_id,
    review_items.c.answered_by,
    review_items.c.choice,
)
Index(
    "ix_review_items_figures",
    review_items.c.campaign_id,
    review_items.c.outcome,
    review_items.c.choice,
    review_items.c.waiting,
    review_items.c.not_sure_by,
    review_items.c.product_id,
    review_items.c.currency,
    review_items.c.monthly_minor,
)
Index("ix_review_items_assignee", review_items.c.assignee_id, review_items.c.campaign_id)
Index(
    "ix_review_items_groups",
    review_items.c.assignee_kind,  # constant, but SQLite prefers another index without it
    review_items.c.campaign_id,
    review_items.c.assignee_id,
    sqlite_where=review_items.c.assignee_kind == "group",
    postgresql_where=review_items.c.assignee_kind == "group",
)
# A person's list is found by each way in which a seat can concern them; most seats are in none of these.
for _who in (review_items.c.answered_by, review_items.c.delegated_by, review_items.c.moved_from):
    Index(
        f"ix_review_items_{_who.name}",
        _who,
        review_items.c.campaign_id,
        sqlite_where=_who.is_not(None),
        postgresql_where=_who.is_not(None),
    )
item_assignments = Table(
    "item_assignments",
    metadata,
    Column("item_id", ForeignKey("review_items.id"), primary_key=True),
    Column("stage", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("assignee_kind", String, nullable=False),  # person, group
    Column("assignee_id", String, nullable=False),
    Column("how", String, nullable=False),
    Column("by", String),
    Column("reason", Text),
    Column("at", Instant, nullable=False),
    Column("ended_at", Instant),
)
Index("ix_item_assignments_by", item_assignments.c.by)
decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("item_id", ForeignKey("review_items.id"), nullable=False, index=True),
    Column("item_version", Integer, nullable=False),
    Column("batch_id", String, nullable=False),
    Column("choice", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("idem_key", String, nullable=False, unique=True),
    Column("request_sha256", String, nullable=False),
    Column("response", String, nullable=False),
    UniqueConstraint("item_id", "item_version"),
)
# One open question per person and product, over campaigns and consent programs.
questions = Table(
    "questions",
    metadata,
    Column("ref", String, primary_key=True),  # a review item, or a consent request
    Column("person_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
)
Index(
    "uq_questions_open",
    questions.c.person_id,
    questions.c.product_id,
    unique=True,
    sqlite_where=questions.c.closed_at.is_(None),
    postgresql_where=questions.c.closed_at.is_(None),
)
answers = Table(
    "answers",
    metadata,
    Column("person_id", String, primary_key=True),
    Column("product_id", String, primary_key=True),
    Column("ref", String, nullable=False),  # as in `questions`
    Column("choice", String, nullable=False),
    Column("reason", String),
    Column("answered_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
)

# Removals ------------------------------------------------------------------------------------------------------------
removal_orders = Table(
    "removal_orders",
    metadata,
    Column("id", String, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("person_id", String, nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("not_before", Instant),
    Column("checks", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("claimed_by", String),
    Column("claimed_at", Instant),
    UniqueConstraint("campaign_id", "person_id"),
)
Index("ix_removal_orders_due", removal_orders.c.state, removal_orders.c.not_before)
Index("ix_removal_orders_state", removal_orders.c.campaign_id, removal_orders.c.state, removal_orders.c.id)
removal_steps = Table(
    "removal_steps",
    metadata,
    Column("id", String, primary_key=True),
    Column("order_id", ForeignKey("removal_orders.id"), nullable=False, index=True),
    Column("item_id", ForeignKey("review_items.id"), nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    Column("product_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("client_request_id", String),
    Column("request_id", String),
    Column("before", Text),
    Column("after", Text),
    Column("error", Text),
    Column("maybe_written", Boolean, nullable=False),
    Column("intended_at", Instant),
    Column("written_at", Instant, index=True),
    Column("verified_at", Instant),
    UniqueConstraint("order_id", "seq"),
)

# The way back: an item's removal undone, found undone by somebody else, or its holder asked ------------------------------
restores = Table(
    "restores",
    metadata,
    Column("id", String, primary_key=True),
    Column("item_id", ForeignKey("review_items.id"), nullable=False, unique=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("person_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("state", String, nullable=False),  # restoring, restored, restore_failed
    Column("version", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("not_before", Instant),
    Column("checks", Integer, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("how", String, nullable=False),  # undo, receipt, asked_back, appeal
    Column("asked_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("why_not", String),
    Column("detail", Text),
    Column("after", Text),
)
Index("ix_restores_due", restores.c.state, restores.c.not_before)
restore_steps = Table(
    "restore_steps",
    metadata,
    Column("restore_id", ForeignKey("restores.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("kind", String, nullable=False),  # assign_direct, join_group
    Column("ref", String, nullable=False),
    Column("disabled_plans", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("client_request_id", String),
    Column("request_id", String),
    Column("error", Text),
    Column("maybe_written", Boolean, nullable=False),
    Column("intended_at", Instant),
    Column("written_at", Instant, index=True),
)
reversals = Table(
    "reversals",
    metadata,
    Column("item_id", ForeignKey("review_items.id"), primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("how", String, nullable=False),  # restored, regranted
    Column("at", Instant, nullable=False),
    Column("through", JSON, nullable=False),  # group ids, "direct"
    Column("run_id", String, index=True),
)
ask_backs = Table(
    "ask_backs",
    metadata,
    Column("item_id", ForeignKey("review_items.id"), primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("person_id", String, nullable=False),
    Column("signed_in_at", Instant, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("wanted", Boolean),
    Column("answered_at", Instant),
)
# What somebody did about a seat that needs a person; without a row nobody did anything yet.
manual_tasks = Table(
    "manual_tasks",
    metadata,
    Column("item_id", ForeignKey("review_items.id"), primary_key=True),
    Column("state", String, nullable=False),  # open, checking, still_there
    Column("note", Text, nullable=False),
    Column("by", String),
    Column("at", Instant),
    Column("attempt", Integer, nullable=False),
    Column("checked_at", Instant),
    Column("via", Text, nullable=False),  # JSON: group ids, or "direct"
    Column("version", Integer, nullable=False),
    Column("link", Text),
)
Index("ix_review_items_ended", review_items.c.outcome, review_items.c.outcome_at, review_items.c.id)

# Consent programs ------------------------------------------------------------------------------------------------------
consent_programs = Table(
    "consent_programs",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("same_name", String, nullable=False),  # what decides whether two names are one
    Column("terms", JSON, nullable=False),
    Column("group_id", String, nullable=False),
    Column("group_name", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("state", String, nullable=False),  # active, paused, ended
    Column("rests", Boolean, nullable=False),  # ended: its name and its group are free again
    Column("owner_id", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_run_at", Instant),
    Column("version", Integer, nullable=False),
)
for _one in (consent_programs.c.same_name, consent_programs.c.group_id):
    Index(
        f"uq_consent_programs_{_one.name}",
        _one,
        unique=True,
        sqlite_where=consent_programs.c.rests.is_(False),
        postgresql_where=consent_programs.c.rests.is_(False),
    )
consent_runs = Table(
    "consent_runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("program_id", ForeignKey("consent_programs.id"), nullable=False),
    Column("state", String, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("people", JSON, nullable=False),
    Column("devices", JSON, nullable=False),
    Column("data_as_of", Instant),
    Column("unmatched", Integer, nullable=False),
    Column("ambiguous", Integer, nullable=False),
    Column("after", String),
    Column("counts", JSON, nullable=False),
    Column("ended_at", Instant),
    Column("error", Text),
    Column("attempt", Integer, nullable=False),
    Column("not_before", Instant),
    Column("version", Integer, nullable=False),
)
Index("ix_consent_runs_program", consent_runs.c.program_id, consent_runs.c.started_at)
Index(
    "uq_consent_runs_running",
    consent_runs.c.program_id,
    unique=True,
    sqlite_where=consent_runs.c.state == "running",
    postgresql_where=consent_runs.c.state == "running",
)
consent_requests = Table(
    "consent_requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("program_id", ForeignKey("consent_programs.id"), nullable=False),
    Column("run_id", ForeignKey("consent_runs.id"), nullable=False),
    Column("person_id", String, nullable=False, index=True),
    Column("product_id", String, nullable=False),
    Column("group_id", String, nullable=False),
    Column("last_used_at", Instant),
    Column("unused_days", Integer, nullable=False),
    Column("device", String),
    Column("source", String, nullable=False),
    Column("observed_at", Instant, nullable=False),
    Column("state", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("asked_at", Instant),
    Column("due_at", Instant),
    Column("later_until", Instant),
    Column("had_time", Boolean, nullable=False),
    Column("reminded", Integer, nullable=False),
    Column("manager_id", String),
    Column("answered_by", String),
    Column("answered_at", Instant),
    Column("reason", String),
    Column("note", Text),
    Column("approved_by", String),
    Column("ended_at", Instant),
    Column("why", String),
    Column("detail", String),
)
Index("ix_consent_requests_program", consent_requests.c.program_id, consent_requests.c.state, consent_requests.c.id)
Index("ix_consent_requests_state", consent_requests.c.state, consent_requests.c.due_at)
Index(
    "ix_consent_requests_manager",
    consent_requests.c.manager_id,
    sqlite_where=consent_requests.c.manager_id.is_not(None),
    postgresql_where=consent_requests.c.manager_id.is_not(None),
)
Index("ix_consent_requests_asked", consent_requests.c.program_id, consent_requests.c.asked_at)
membership_changes = Table(
    "membership_changes",
    metadata,
    Column("id", String, primary_key=True),
    Column("program_id", ForeignKey("consent_programs.id"), nullable=False),
    Column("request_id", ForeignKey("consent_requests.id"), index=True),
    Column("person_id", String, nullable=False),
    Column("group_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("kind", String, nullable=False),  # leave, join
    Column("why", String, nullable=False),
    Column("state", String, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("clicked", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("not_before", Instant),
    Column("checks", Integer, nullable=False),
    Column("write_id", String),
    Column("answer_id", String),
    Column("maybe_written", Boolean, nullable=False),
    Column("intended_at", Instant),
    Column("written_at", Instant),
    Column("ended_at", Instant),
    Column("result", String),
    Column("detail", String),
)
Index("ix_membership_changes_due", membership_changes.c.done, membership_changes.c.not_before)
Index("ix_membership_changes_program", membership_changes.c.program_id, membership_changes.c.asked_at)
Index("ix_membership_changes_written", membership_changes.c.written_at)
Index(
    "uq_membership_changes_running",
    membership_changes.c.person_id,
    membership_changes.c.group_id,
    unique=True,
    sqlite_where=membership_changes.c.done.is_(False),
    postgresql_where=membership_changes.c.done.is_(False),
)
consent_appeals = Table(
    "consent_appeals",
    metadata,
    Column("request_id", ForeignKey("consent_requests.id"), primary_key=True),
    Column("program_id", String, nullable=False),
    Column("person_id", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("decider_id", String, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", String, nullable=False),  # open, granted, refused, lapsed
    Column("ended_at", Instant),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
)
Index("ix_consent_appeals_due", consent_appeals.c.state, consent_appeals.c.due_at)
wait_list = Table(
    "wait_list",
    metadata,
    Column("product_id", String, primary_key=True),
    Column("person_id", String, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("state", String, nullable=False),
    Column("ended_at", Instant),
    Column("version", Integer, nullable=False),
)

# What usage sources said, in imports: the newest whole one of a source and application counts ----------------------
usage_imports = Table(
    "usage_imports",
    metadata,
    Column("id", String, primary_key=True),
    Column("source", String, nullable=False),
    Column("application", String, nullable=False),  # folded
    Column("name", String, nullable=False),
    Column("state", String, nullable=False),  # reading, current, replaced
    Column("at", Instant, nullable=False),
    Column("by", String, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("unmatched", Integer, nullable=False),
    Column("ambiguous", Integer, nullable=False),
    Column("newest", Instant),
    Column("sha256", String),
)
Index(
    "uq_usage_imports_current",
    usage_imports.c.source,
    usage_imports.c.application,
    unique=True,
    sqlite_where=usage_imports.c.state == "current",
    postgresql_where=usage_imports.c.state == "current",
)
usage_rows = Table(
    "usage_rows",
    metadata,
    Column("import_id", ForeignKey("usage_imports.id"), primary_key=True),
    Column("person_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("device", String),
    Column("last_used_at", Instant),
    Column("unused_days", Integer),
    Column("observed_at", Instant, nullable=False),
)
appeals = Table(
    "appeals",
    metadata,
    Column("item_id", ForeignKey("review_items.id"), primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("person_id", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("to", String, nullable=False),  # manager, fallback, admins
    Column("reviewer_id", String),
    Column("due_at", Instant, nullable=False),
    Column("state", String, nullable=False),  # open, granted, refused, lapsed, settled
    Column("moved_at", Instant),
    Column("answered_by", String),
    Column("ended_at", Instant),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
    Index("ix_appeals_campaign_id", "campaign_id"),
    Index("ix_appeals_due", "state", "due_at"),
)

# Chat ----------------------------------------------------------------------------------------------------------------
messages = Table(
    "messages",
    metadata,
    Column("id", String, primary_key=True),
    Column("person_id", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("matter", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),  # intended, sent, updated, replaced, dead
    Column("version", Integer, nullable=False),
    Column("external_id", String),
    Column("payload_sha256", String),
    Column("data_as_of", Instant),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("error", Text),
)
Index("ix_messages_matter", messages.c.matter, messages.c.person_id)
Index("ix_messages_external", messages.c.external_id)
Index("ix_messages_state", messages.c.matter, messages.c.state)
Index("ix_messages_failed", messages.c.state, messages.c.created_at)
identities = Table(
    "identities",
    metadata,
    Column("channel", String, primary_key=True),
    Column("person_id", String, primary_key=True),
    Column("user_ref", String),
    Column("conversation", String),
    Column("service_url", String),
    Column("state", String, nullable=False),  # known, blocked
    Column("why", String),
    Column("updated_at", Instant, nullable=False),
)
Index("ix_identities_conversation", identities.c.channel, identities.c.conversation)
slack_installations = Table(
    "slack_installations",
    metadata,
    Column("id", String, primary_key=True),  # of the workspace, or of the organisation for an org-wide installation
    Column("org_wide", Boolean, nullable=False),
    Column("bot_user", String, nullable=False),
    Column("token", Text, nullable=False),  # encrypted
    Column("scopes", Text, nullable=False),
    Column("installed_at", Instant, nullable=False),
)
message_items = Table(
    "message_items",
    metadata,
    Column("message_id", ForeignKey("messages.id"), primary_key=True),
    Column("item_id", ForeignKey("review_items.id"), primary_key=True, index=True),
)
reminders = Table(
    "reminders",
    metadata,
    Column("campaign_id", ForeignKey("campaigns.id"), primary_key=True),
    Column("person_id", String, primary_key=True),
    Column("at", Instant, nullable=False),  # of the newest one, sent by the clock or by hand
)

# Evidence ------------------------------------------------------------------------------------------------------------
# Both tables only grow, held by triggers (migration 0003): a personal value may be deleted (erasure), never rewritten.
attestation_events = Table(
    "attestation_events",
    metadata,
    Column("seq", Integer().with_variant(BigInteger, "postgresql"), primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("campaign_id", String, index=True),
    Column("item_id", String, index=True),
    Column("body", LargeBinary, nullable=False),
)
event_values = Table(
    "event_values",
    metadata,
    Column("event_id", ForeignKey("attestation_events.id"), primary_key=True),
    Column("field", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
)
