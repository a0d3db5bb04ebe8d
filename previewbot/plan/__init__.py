"""What should be, and the next step towards it: pure rules over what was observed.

facts ─▶ decision ─▶ per service: status + action ─▶ overall status ─▶ when to look again
"""

from previewbot.plan.decision import Decision, Facts, decide, expire, renew
from previewbot.plan.obey import Goal, obey, settle_replies
from previewbot.plan.overall import overall
from previewbot.plan.services import advance, orphans
from previewbot.plan.steps import Create, Delete, ImageLook, Look, ServiceStep, Surroundings
from previewbot.plan.when import look_again, until_expiry

__all__ = [
    "Create",
    "Decision",
    "Delete",
    "Facts",
    "Goal",
    "ImageLook",
    "Look",
    "ServiceStep",
    "Surroundings",
    "advance",
    "decide",
    "expire",
    "look_again",
    "obey",
    "orphans",
    "overall",
    "renew",
    "settle_replies",
    "until_expiry",
]
