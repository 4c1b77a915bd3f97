"""Every verb of a button. `command.run`, which runs a typed verb, is the router's own."""

from bot.actions_appeal import APPEAL_ACTIONS
from bot.actions_consent import CONSENT_ACTIONS
from bot.actions_control import CONTROL_ACTIONS
from bot.actions_doctor import DOCTOR_ACTIONS
from bot.actions_inbox import INBOX_ACTIONS
from bot.actions_item import ITEM_ACTIONS
from bot.actions_money import MONEY_ACTIONS
from bot.actions_restore import RESTORE_ACTIONS
from bot.actions_start import START_ACTIONS
from bot.actions_tasks import TASK_ACTIONS
from bot.actions_wave import WAVE_ACTIONS
from bot.handling import ActionVerb

ACTIONS: tuple[ActionVerb, ...] = (
    *INBOX_ACTIONS,
    *WAVE_ACTIONS,
    *ITEM_ACTIONS,
    *START_ACTIONS,
    *MONEY_ACTIONS,
    *TASK_ACTIONS,
    *CONTROL_ACTIONS,
    *DOCTOR_ACTIONS,
    *RESTORE_ACTIONS,
    *CONSENT_ACTIONS,
    *APPEAL_ACTIONS,
)
