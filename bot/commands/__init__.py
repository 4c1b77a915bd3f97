"""The `/reclaim` verbs, one module each: name, summary, usage, example, roles and handler. `COMMANDS` is all of them."""

from bot.commands.absences import ABSENCES
from bot.commands.campaign import CAMPAIGN, CAMPAIGNS
from bot.commands.cancel import CANCEL
from bot.commands.close import CLOSE
from bot.commands.consent import CONSENT_VERBS
from bot.commands.doctor import DOCTOR
from bot.commands.exclude import EXCLUDE
from bot.commands.export import EXPORT
from bot.commands.extend import EXTEND
from bot.commands.freeze import FREEZE
from bot.commands.help import make_help
from bot.commands.history import HISTORY
from bot.commands.inbox import INBOX
from bot.commands.nudge import NUDGE
from bot.commands.owner import OWNER
from bot.commands.price import PRICE
from bot.commands.reassign import REASSIGN
from bot.commands.resume import RESUME
from bot.commands.retry import RETRY
from bot.commands.seats import SEATS, SEATS_MINE
from bot.commands.simulate import SIMULATE
from bot.commands.spend import SPEND
from bot.commands.start import START
from bot.commands.status import STATUS
from bot.commands.sync import SYNC
from bot.commands.tasks import TASKS
from bot.commands.undo import UNDO
from bot.commands.why import WHY
from bot.handling import Verb

_ALL_BUT_HELP: tuple[Verb, ...] = (
    INBOX,
    STATUS,
    SPEND,
    SEATS,
    SEATS_MINE,
    DOCTOR,
    PRICE,
    CAMPAIGNS,
    CAMPAIGN,
    SIMULATE,
    START,
    NUDGE,
    REASSIGN,
    EXTEND,
    EXCLUDE,
    ABSENCES,
    CLOSE,
    RETRY,
    UNDO,
    TASKS,
    SYNC,
    OWNER,
    CANCEL,
    FREEZE,
    RESUME,
    WHY,
    HISTORY,
    EXPORT,
    *CONSENT_VERBS,
)

COMMANDS: tuple[Verb, ...] = (make_help(_ALL_BUT_HELP), *_ALL_BUT_HELP)
