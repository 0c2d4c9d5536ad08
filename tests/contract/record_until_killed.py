"""Record intents and print each one's id once it is durable, until someone ends this process."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.journal.sqlite import SqliteJournal
from tests.kit.records import a_record, an_intent


async def main() -> None:
    async with SqliteJournal.open(Path(sys.argv[1])) as journal:

        async def record_on() -> None:
            while True:
                decision_id, intent_id = journal.ids.decision(), journal.ids.intent()
                record = a_record(journal.next_seq, id=decision_id)
                await journal.record(record, bytes(900), [an_intent(intent_id, decision_id)])
                sys.stdout.write(f"{intent_id}\n")
                sys.stdout.flush()

        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(record_on())


asyncio.run(main())
