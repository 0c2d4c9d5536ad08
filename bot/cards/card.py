"""What is a card, and how does one say that it did not pass?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from bot.cards.bench import Bench
from bot.cards.expect import CardError
from bot.cards.needs import Need
from bot.cards.scene import Scene
from bot.cards.tongue import Tongue

Action = Callable[[Bench], Awaitable[None]]


class Verdict(StrEnum):
    """What became of a card."""

    PASS = "pass"  # noqa: S105 - a verdict
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One question to a venue.

    Attributes:
        number: ``M<group>-<nn>``.
        title: The question in a few words.
        scene: What must be there before.
        does: What is done, for people.
        passes: When it passes, for people.
        skips: Why it cannot be run against the paper exchange; empty where it can.
        needs: What a venue must be able to do.
        action: Does it and raises where it does not pass; ``None`` where it is skipped.
    """

    number: str
    title: str
    scene: Scene
    does: str
    passes: str
    skips: str = ""
    needs: tuple[Need, ...] = ()
    action: Action | None = None

    def skipped_at(self, tongue: Tongue) -> str:
        """Return why it cannot be run against the paper exchange of a venue; empty where it can."""
        unmet = (need.because for need in self.needs if not need.is_met(tongue))
        return self.skips or next(unmet, "")

    @property
    def group(self) -> str:
        """The group it belongs to."""
        return self.number.partition("-")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A card and what became of it.

    Attributes:
        card: The card.
        verdict: PASS, SKIP or FAIL.
        reason: Why it was skipped or failed; empty where it passed.
    """

    card: Card
    verdict: Verdict
    reason: str = ""


def failed(card: Card, error: Exception) -> Result:
    """Return that a card did not pass: by what it compared, or because it could not go on."""
    why = str(error) if isinstance(error, CardError) else f"{type(error).__name__}: {error}"
    return Result(card=card, verdict=Verdict.FAIL, reason=why)


@dataclass(slots=True)
class Group:
    """The cards about one subject, in order.

    Attributes:
        name: ``M<n>``.
        about: For people.
        needs: What a venue must be able to do for each of them.
        cards: In the order of their numbers.
    """

    name: str
    about: str
    needs: tuple[Need, ...] = ()
    cards: list[Card] = field(default_factory=list)

    def card(
        self,
        title: str,
        *,
        does: str,
        passes: str,
        scene: Scene | None = None,
        needs: tuple[Need, ...] = (),
    ) -> Callable[[Action], Action]:
        """Take a function as the next card."""

        def take(action: Action) -> Action:
            self._add(title, does=does, passes=passes, scene=scene, needs=needs, action=action)
            return action

        return take

    def skip(self, title: str, *, does: str, passes: str, because: str) -> None:
        """Take a card that cannot be run against the paper exchange, with the reason."""
        self._add(title, does=does, passes=passes, because=because)

    def _add(
        self,
        title: str,
        *,
        does: str,
        passes: str,
        scene: Scene | None = None,
        because: str = "",
        needs: tuple[Need, ...] = (),
        action: Action | None = None,
    ) -> None:
        self.cards.append(
            Card(
                number=f"{self.name}-{len(self.cards) + 1:02d}",
                title=title,
                scene=Scene() if scene is None else scene,
                does=does,
                passes=passes,
                skips=because,
                needs=(*self.needs, *needs),
                action=action,
            )
        )
