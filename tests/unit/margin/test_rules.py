from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.domain.instrument import Contract
from bot.margin import rules
from bot.margin.rules import Basis, Fee, Mode, NoRule, Proof, Rule
from bot.margin.venues import RULES, rule_for

LINEAR, INVERSE = Contract.LINEAR, Contract.INVERSE
ROOT = Path(__file__).parents[3]
NONE = "–"  # noqa: RUF001 - how the pages write that there is nothing


@pytest.mark.parametrize(
    ("venue", "mode", "contract", "day", "key"),
    [
        pytest.param("kucoin", Mode.ISOLATED, LINEAR, date(2025, 5, 21), "KC-O", id="kucoin, last"),
        pytest.param("kucoin", Mode.ISOLATED, LINEAR, date(2025, 5, 22), "KC-N", id="kucoin, new"),
        pytest.param("bybit", Mode.ISOLATED, LINEAR, date(2026, 5, 26), "BY-LO", id="bybit, last"),
        pytest.param("bybit", Mode.ISOLATED, LINEAR, date(2026, 5, 27), "BY-LN", id="bybit, new"),
        pytest.param("bybit", Mode.ISOLATED, INVERSE, date(2026, 5, 26), "BY-IO", id="coin, last"),
        pytest.param("bybit", Mode.ISOLATED, INVERSE, date(2026, 5, 27), "BY-IN", id="coin, new"),
        pytest.param("hyperliquid", Mode.CROSS, LINEAR, date(2023, 3, 27), "HL-23", id="hl, old"),
        pytest.param("hyperliquid", Mode.CROSS, LINEAR, date(2026, 1, 1), "HL-X", id="hl, now"),
        pytest.param("binance", Mode.HEDGE, LINEAR, date(2026, 1, 1), "BN-XH", id="binance hedge"),
    ],
)
def test_the_day_decides_between_old_and_new(
    venue: str, mode: Mode, contract: Contract, day: date, key: str
) -> None:
    assert rule_for(venue=venue, mode=mode, contract=contract, day=day).key == key


def test_a_rule_that_is_not_known_is_named_with_those_that_are() -> None:
    with pytest.raises(
        NoRule, match="no margin rule for spot inverse at kucoin on 2026-01-01; of "
    ):
        rule_for(venue="kucoin", mode=Mode.SPOT, contract=INVERSE, day=date(2026, 1, 1))
    with pytest.raises(NoRule, match="of this venue there are: none"):
        rule_for(venue="nobody", mode=Mode.SPOT, contract=LINEAR, day=date(2026, 1, 1))


def test_on_every_day_at_most_one_rule_holds_and_none_is_without_proof_or_source() -> None:
    days = [date(2022, 1, 1), *(day for rule in RULES for day in (rule.since, rule.until) if day)]
    for rule in RULES:
        assert rule.proofs
        assert rule.source
        for day in days:
            if rule.holds_on(day):
                found = rule_for(venue=rule.venue, mode=rule.mode, contract=rule.contract, day=day)
                assert found is rule
    assert len({rule.key for rule in RULES}) == len(RULES)


def test_only_what_was_compared_has_a_bound() -> None:
    for rule in RULES:
        compared = {Proof.EXAMPLE, Proof.RECORDED} & set(rule.proofs)
        assert (rule.bound is not None) == bool(compared), rule.key


def a_rule(**given: object) -> Rule:
    known = {
        "key": "X", "venue": "x", "mode": Mode.CROSS, "contract": LINEAR, "source": "s",
        "proofs": (Proof.UNVERIFIED,), "basis": Basis.LIQUIDATION,
    }  # fmt: skip
    return Rule(**(known | given))  # type: ignore[arg-type]  # each test gives one of them


def test_two_rules_at_once_are_a_fault_of_the_table() -> None:
    with pytest.raises(ValueError, match="one margin rule must hold for cross linear at x on"):
        rules.choose(
            (a_rule(), a_rule(key="Y")),
            venue="x", mode=Mode.CROSS, contract=LINEAR, day=date(2026, 1, 1),
        )  # fmt: skip


def test_a_rule_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="fee rate of X must be given exactly where"):
        a_rule(fee=Fee.FIXED)
    with pytest.raises(ValueError, match="fee rate of X must be given exactly where"):
        a_rule(fee=Fee.TAKER, fee_rate=D("0.001"))
    with pytest.raises(ValueError, match="days of X must ascend"):
        a_rule(since=date(2026, 1, 2), until=date(2026, 1, 2))


def test_the_page_on_margin_has_each_rule_with_its_days_proofs_and_bound() -> None:
    page = {
        cells[0]: cells
        for line in (ROOT / "docs" / "margin.md").read_text().splitlines()
        if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 10
    }
    for rule in RULES:
        cells = page[rule.key]
        assert cells[1] == f"{rule.venue} {rule.mode.replace('_', ' ')} {rule.contract}"
        days = f"from {rule.since}" if rule.since else NONE
        assert cells[2] == (f"before {rule.until}" if rule.until else days)
        assert cells[8].split() == list(rule.proofs)
        assert cells[9] == (NONE if rule.bound is None else f"{rule.bound.normalize():f}")
    assert len(page) == len(RULES) + 2, "a header, its rule, and nothing that is not in force"
