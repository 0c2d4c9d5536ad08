"""Is a second object of the library's class all that the first is?"""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.exchanges.connect import SPOKEN


@pytest.mark.parametrize("venue", sorted(SPOKEN))
def test_a_later_object_has_every_name_that_the_first_has(venue: str) -> None:
    anew = type("Anew", (SPOKEN[venue].dialect.library,), {})

    def made() -> Any:
        return anew({"session": SimpleNamespace(closed=False)})

    first = made()
    spelt = set(vars(anew))
    later = made()

    assert vars(later).keys() == vars(first).keys()
    assert set(vars(anew)) == spelt
    assert {"fetchTime", "loadMarkets"} <= spelt
    assert later.fetchTime.__self__ is later
