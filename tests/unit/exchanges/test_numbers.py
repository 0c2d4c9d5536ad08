"""Is a number that a venue gave to something kept digit by digit, however long?"""

from typing import Any

import pytest

from bot.errors import Incomplete
from bot.exchanges.numbers import given_id, identity


@pytest.mark.parametrize(
    ("number", "name"),
    [(7, "7"), ("2007047737421336577", "2007047737421336577"), (2**60, str(2**60)),
     (0, None), (-7, None), (True, None), ("7.0", None), ("", None), (None, None),
     ("9" * 21, None), ("\u0667", None)],
)  # fmt: skip
def test_a_number_that_the_venue_gave_keeps_all_its_digits(number: Any, name: str | None) -> None:
    assert given_id(number) == name
    if name is not None:
        assert identity({"id": number}, "id") == name
        return
    with pytest.raises(Incomplete, match="field 'id' of the answer must be an id"):
        identity({"id": number}, "id")
