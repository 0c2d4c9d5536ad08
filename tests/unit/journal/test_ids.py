import pytest

from bot.errors import JournalError
from bot.journal.ids import Ids, base36, new_instance


def test_an_intent_id_is_prefix_instance_epoch_counter() -> None:
    ids = Ids(instance="keel", epoch=37)
    assert [ids.intent(), ids.intent(), ids.decision()] == [
        "plkeel0011000000",
        "plkeel0011000001",
        "dckeel0011000002",
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(0, "0000", id="zero"),
        pytest.param(35, "000z", id="last digit"),
        pytest.param(36**4 - 1, "zzzz", id="largest that fits"),
    ],
)
def test_base36_is_padded(number: int, text: str) -> None:
    assert base36(number, width=4) == text
    assert int(text, 36) == number


@pytest.mark.parametrize("number", [-1, 36**4])
def test_base36_refuses_what_does_not_fit(number: int) -> None:
    with pytest.raises(ValueError, match="must be 0 or more and fit 4 digits"):
        base36(number, width=4)


def test_used_up_ids_stop_the_bot_instead_of_repeating() -> None:
    ids = Ids(instance="keel", epoch=36**4)
    with pytest.raises(JournalError, match="no unused id"):
        ids.intent()


@pytest.mark.parametrize("instance", ["", "abc", "ABCD", "ab-d", "abcde"])
def test_an_instance_is_four_lower_case_letters_or_digits(instance: str) -> None:
    with pytest.raises(ValueError, match="instance must be 4"):
        Ids(instance=instance, epoch=1)


def test_two_new_journals_differ() -> None:
    assert len({new_instance() for _ in range(8)}) > 1
