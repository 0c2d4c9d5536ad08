"""Bring emergency intents to an end and print each state once it is durable.

Ends when the reserve holds as many as asked, all settled, or when someone ends this process.
"""

import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.domain.intent import Execution, Intent, IntentState, Outcome, Settlement
from bot.journal.reserve import Reserve
from tests.kit.records import NOON, a_request, an_intent


def say(intent_id: str, state: IntentState) -> None:
    sys.stdout.write(f"{intent_id} {state}\n")
    sys.stdout.flush()


def settle(reserve: Reserve, intent: Intent) -> None:
    evidence = Settlement(intent_id=intent.id, applied=Decimal("250.00"), text="history")
    reserve.settled(evidence, NOON + timedelta(seconds=9))
    say(intent.id, IntentState.APPLIED)


def recover(reserve: Reserve) -> None:
    for intent in reserve.open_intents():
        if intent.state is IntentState.WRITTEN:
            reserve.drop(intent.id, NOON, "restart before it was sent")
            say(intent.id, IntentState.DROPPED)
        else:
            settle(reserve, intent)


def act(reserve: Reserve, intent: Intent) -> None:
    reserve.write([intent], sequence=1, reason="emergency")
    say(intent.id, IntentState.WRITTEN)
    reserve.sent(intent.id, a_request(NOON + timedelta(seconds=1)))
    say(intent.id, IntentState.SENT)
    lost = Execution(intent_id=intent.id, outcome=Outcome.UNKNOWN, code="timeout", latency_ms=3000)
    reserve.conclude(lost, NOON + timedelta(seconds=4))
    say(intent.id, IntentState.UNKNOWN)
    settle(reserve, intent)


def main() -> None:
    wanted = int(sys.argv[2])
    with Reserve.open(Path(sys.argv[1])) as reserve:
        recover(reserve)
        for number in range(len(reserve.kept()), wanted):
            act(reserve, an_intent(f"pl{number:06}"))


main()
