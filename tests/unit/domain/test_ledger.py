"""People read in alarms what kind of line it was: each kind is said by its name."""

import pytest

from bot.domain.ledger import RowKind


@pytest.mark.parametrize("kind", RowKind)
def test_a_kind_is_its_name_and_at_most_one_of_margin_and_transfer(kind: RowKind) -> None:
    assert kind.value == kind.name.lower()
    assert kind.is_margin == kind.name.startswith("MARGIN_")
    assert kind.is_transfer == kind.name.startswith("TRANSFER_")
