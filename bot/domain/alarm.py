"""What must a person be told now?"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that needs a person.

    Attributes:
        code: Stable, ``lower_snake_case``.
        text: What happened, with its numbers.
        at: Venue time. Aware UTC.
        intent_id: The intent it is about; empty if none.
    """

    code: str
    text: str
    at: datetime
    intent_id: str = ""
