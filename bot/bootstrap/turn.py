"""When may this run write, and no other?"""

from collections.abc import Callable, Sequence
from pathlib import Path

from bot.bootstrap.sinks import tell
from bot.domain.lease import Claim, Lease, Terms
from bot.exchanges.connect import ConnectionSettings
from bot.journal.lease import SureClock, await_turn
from bot.journal.lock import ProcessLock, lock_folder
from bot.ports import Sink
from bot.settings import Settings


def account_lock(
    settings: Settings, connection: ConnectionSettings, *, journal: Path
) -> ProcessLock:
    """Take the lock that keeps other bots of this machine from the account.

    Raises:
        InUse: Another one has it.
        JournalError: The folder of the locks cannot be used.
    """
    # Behind a gateway the same key is another account: every paper exchange has the same keys.
    where = connection.mode if connection.gateway is None else connection.gateway.address
    return ProcessLock.take_account(
        f"{connection.venue} {where} {connection.api_key}",
        folder=settings.bot.lock_dir or lock_folder(),
        name=connection.account,
        journal=journal,
    )


async def claim_to(
    look: Callable[[], Lease | None],
    clock: SureClock,
    *,
    machine: str,
    name: str,
    sinks: Sequence[Sink],
    terms: Terms,
) -> Claim:
    """Return the claim to a journal's lease, once no other machine can hold it.

    Args:
        look: Returns the lease as it stands.
        clock: Of the venue.
        machine: This one.
        name: Of this process, for people.
        sinks: Hear of a wait.
        terms: Of the venue.

    Raises:
        InUse: The lease is renewed: its holder lives.
    """

    def say(lease: Lease, seconds: float) -> None:
        text = f"{lease.name} may still write: waiting {seconds:.0f} s for its lease to end"
        tell(sinks, clock, "lease_waiting", text)

    ended = await await_turn(look, clock, machine=machine, tell=say, terms=terms)
    return Claim(holder=machine, name=name, at=clock.now(), unless_changed=ended, terms=terms)
