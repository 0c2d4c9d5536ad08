"""Maintenance tables as laws draw them."""

from decimal import Decimal as D

from hypothesis import strategies as st

from bot.domain.instrument import MarginTier


@st.composite
def tables(draw: st.DrawFn) -> tuple[MarginTier, ...]:
    """Draw a continuous table of rising rates; each step allows the leverage that its rate does."""
    count = draw(st.integers(1, 12))
    floors = sorted(draw(st.sets(st.integers(1, 10**7), min_size=count - 1, max_size=count - 1)))
    rates = sorted(draw(st.sets(st.integers(20, 5000), min_size=count, max_size=count)))
    found: list[MarginTier] = []
    amount, last = D(0), D(0)
    for floor, rate in zip([0, *floors], rates, strict=True):
        now = D(rate) / 10000
        amount += floor * (now - last)
        last = now
        found.append(
            MarginTier(
                notional_floor=D(floor),
                maintenance_rate=now,
                maintenance_amount=amount,
                max_leverage=1 / now,
            )
        )
    return tuple(found)
