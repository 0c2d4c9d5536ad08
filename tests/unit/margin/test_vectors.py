from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal as D

import pytest

from bot.domain.instrument import Contract, MarginTier
from bot.margin import backing, by_rule, isolated, legs, lone, release
from bot.margin.by_rule import Terms, flat
from bot.margin.legs import Book, Leg
from bot.margin.rates import rate_for
from bot.margin.release import Binding
from bot.margin.rules import Mode, Proof, Release
from bot.margin.tiers import continued
from bot.margin.venues import rule_for
from tests.kit.builders import FOUR_TIERS, tiers

LINEAR, INVERSE = Contract.LINEAR, Contract.INVERSE
P, E, R, DERIVED, U = (
    Proof.PUBLISHED, Proof.EXAMPLE, Proof.RECORDED, Proof.DERIVED, Proof.UNVERIFIED,
)  # fmt: skip
NOW, OLD = date(2026, 11, 1), date(2023, 3, 1)
V27 = tiers(("0", "0.005", "50"))
V30 = Book(
    contract=LINEAR,
    margin=D(5000),
    legs=(
        Leg(size=D(1), entry_price=D(60000), tiers=V27),
        Leg(size=D("-0.4"), entry_price=D(62000), tiers=tiers(("0", "0.004", "0"))),
    ),
)
V31 = Book(
    contract=INVERSE,
    margin=D("0.02"),
    legs=(Leg(size=D(10000), entry_price=D(60000), tiers=tiers(("0", "0.004", "0"))),),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One row: what is computed, what it must be, how near, and how far that is believed."""

    id: str
    ours: Callable[[], D | None]
    expected: str
    tolerance: str
    proof: Proof


def by(
    venue: str,
    mode: Mode,
    size: str,
    margin: str | D,
    *,
    entry: str = "1",
    table: tuple[MarginTier, ...] = (),
    rate: str | D | None = None,
    contract: Contract = LINEAR,
    day: date = NOW,
    mark: str | None = None,
    fee: str | None = None,
    maintenance: str | None = None,
    tick: str | None = None,
) -> Callable[[], D | None]:
    """A price by the rule of a venue, as it shows it where the tick is given."""

    def price() -> D | None:
        rule = rule_for(venue=venue, mode=mode, contract=contract, day=day)
        found = by_rule.liquidation_price(
            rule,
            Terms(
                size=D(size),
                entry_price=D(entry),
                margin=D(margin),
                tiers=table or (flat(D(rate)) if rate is not None else ()),
                mark_price=D(mark) if mark is not None else None,
                closing_fee=D(fee) if fee is not None else None,
                maintenance=D(maintenance) if maintenance is not None else None,
            ),
        )
        if tick is None or found is None:
            return found
        return by_rule.finished(rule, found, size=D(size), tick=D(tick))

    return price


def setting(
    size: str, entry: str, leverage: int, *, extra: str = "0", contract: Contract = LINEAR
) -> D:
    return backing.from_setting(
        contract=contract,
        size=D(size),
        entry_price=D(entry),
        leverage_setting=D(leverage),
        extra=D(extra),
    )


def binance(
    size: str, entry: str, wallet: str | D, rate: str, amount: str
) -> Callable[[], D | None]:
    table = tiers(("0", rate, amount))
    return by("binance", Mode.ISOLATED, size, wallet, entry=entry, table=table)


def cross(
    size: str, entry: str, rate: str, amount: str, *, maintenance: str, pnl: str
) -> Callable[[], D | None]:
    left = backing.beside_others(
        wallet=D("1535443.01"), maintenance=D(maintenance), unrealized_pnl=D(pnl)
    )
    return by("binance", Mode.CROSS, size, left, entry=entry, table=tiers(("0", rate, amount)))


def walked(size: str, margin: str, table: tuple[MarginTier, ...]) -> Callable[[], D | None]:
    return lambda: isolated.liquidation_price(
        LINEAR, table, size=D(size), entry_price=D(60000), margin=D(margin)
    )


def removable(book: Book, mark: str, setting: int) -> Callable[[], D]:
    at = D(mark)
    return lambda: (
        release.removable(
            Release.BINANCE,
            margin=book.margin,
            equity=legs.equity(book, at),
            maintenance=legs.needed(book, at),
            value=legs.value(book.contract, size=book.legs[0].size, price=at),
            leverage_setting=D(setting),
        ).amount
    )


def buffered(what: str) -> Callable[[], D | None]:
    def found() -> D | None:
        wanted = isolated.margin_for_distance(
            LINEAR, V27, size=D(2), entry_price=D(60000), mark_price=D(59000), distance=D("0.1")
        )
        if what == "margin":
            return wanted
        if what == "add":
            return wanted - 12000
        return isolated.liquidation_price(
            LINEAR, V27, size=D(2), entry_price=D(60000), margin=wanted
        )

    return found


def hyperliquid(size: str, entry: str, raw: str, highest: int) -> Callable[[], D | None]:
    margin = backing.from_raw(size=D(size), entry_price=D(entry), raw=D(raw))
    return by("hyperliquid", Mode.ISOLATED, size, margin, entry=entry, rate=1 / (2 * D(highest)))


def ratio_of_okx() -> D:
    margin, upl, fee = D("9.9995625"), D("-0.0613"), D("0.0005")
    return rate_for(venue="okx", mode=Mode.ISOLATED).of(
        equity=margin + upl, maintenance=6130 * D("0.01304") * (D("0.02") + fee)
    )


def at_its_price(book: Book, what: Callable[[Book, D], D]) -> Callable[[], D]:
    def found() -> D:
        price = legs.liquidation_price(book)
        assert price is not None
        return what(book, price)

    return found


def deribit(base: str, size: int) -> D:
    rate = by_rule.rate_by_size(base=D(base), per_coin=D("0.00005"), size=D(size))
    return rate * size * 100_000


SHARE = backing.from_account_rate(size=D(-1), mark_price=D(3800), rate=D("0.22624434389"))
V16 = D("1147.96434266") + D("0.01") * D("0.00785") * D("26961.2")
VECTORS = [
    Vector(id=name, ours=ours, expected=expected, tolerance=tolerance, proof=proof)
    for name, ours, expected, tolerance, proof in (
        ("V1 ETH", binance("3683.979", "1456.84", "1535443.01", "0.1", "135365"),
         "1114.78", "5e-6", E),
        ("V1 BTC", binance("109.488", "32481.98", "1535443.01", "0.025", "16300"),
         "18778.73", "5e-6", E),
        ("V2 ETH", cross("3683.979", "1456.84", "0.1", "135365",
                         maintenance="71200.811444", pnl="-56354.56848"), "1153.26", "5e-6", E),
        ("V2 BTC", cross("109.488", "32481.98", "0.025", "16300",
                         maintenance="356512.508122", pnl="-448192.88514"),
         "26316.89", "5e-6", E),
        ("V3 long", binance("20", "6563.665", D("15517.54150468") - D("2316.83423560"),
                            "0.005", "50"), "5930.78", "1e-6", R),
        ("V3 short", binance("-10", "6563.86", D("5413.95799991") - D("-1156.46711780"),
                             "0.005", "50"), "7189.95", "1e-6", R),
        ("V4", by("binance", Mode.MULTI_ASSET, "0.009", "25.7261006", entry="67445.9",
                  rate="0.004"), "64846.98753790", "3e-6", R),
        ("V5", lambda: continued(tiers(("0", "0.025", "0.56"))[0], floor=D(50), rate=D("0.05")),
         "1.81", "0", E),
        ("V6", by("bybit", Mode.ISOLATED, "1", setting("1", "20000", 50), entry="20000",
                  rate="0.005", day=OLD), "19700", "0", E),
        ("V7", by("bybit", Mode.ISOLATED, "5", setting("5", "8000", 10), entry="8000",
                  rate="0.005", day=OLD), "7240", "0", E),
        ("V7 extra", by("bybit", Mode.ISOLATED, "5", setting("5", "8000", 10, extra="4000"),
                        entry="8000", rate="0.005", day=OLD), "6440", "0", DERIVED),
        ("V8 long", by("bybit", Mode.ISOLATED, "10000",
                       setting("10000", "60000", 10, contract=INVERSE), entry="60000",
                       rate="0.005", contract=INVERSE), "54818.1818", "1e-8", P),
        ("V8 short", by("bybit", Mode.ISOLATED, "-10000",
                        setting("-10000", "60000", 10, contract=INVERSE), entry="60000",
                        rate="0.005", contract=INVERSE), "66333.3333", "1e-8", P),
        ("V9 long", by("bybit", Mode.ISOLATED, "1", setting("1", "20000", 50), entry="20000",
                       rate="0.005"), "19698.4925", "1e-8", U),
        ("V9 short", by("bybit", Mode.ISOLATED, "-1", setting("-1", "20000", 50), entry="20000",
                        rate="0.005"), "20298.5075", "1e-8", U),
        ("V10", by("okx", Mode.ISOLATED, "6130", "9.9995625", entry="0.01305", rate="0.02",
                   fee="0.0005", tick="1e-5"), "0.0116677335375191", "1e-12", R),
        ("V11", ratio_of_okx, "6.064828669759086", "1e-13", R),
        ("V12", by("okx", Mode.ISOLATED, "10", "0.0003896645377994", entry="2566.31",
                   rate="0.008", fee="0.0005", tick="0.01", contract=INVERSE),
         "2352.8496681818233", "1e-12", R),
        ("V13", lambda: legs.liquidation_price(by_rule.spot(
            assets=D("12.00358728382"), owed=D("0.113791"), is_long=False, rate=D("0.05"),
            fee=D("0.0015"))), "100.31430948814871", "1e-13", R),
        ("V14 short", hyperliquid("-4", "47.9932", "211.144417", 10), "50.2724802381", "1e-11", R),
        ("V14 long", hyperliquid("2", "37.829", "-68.126246", 10), "35.8559189474", "1e-11", R),
        ("V15", by("hyperliquid", Mode.ISOLATED, "-0.32", "24.924941", entry="155.89",
                   rate=1 / D(40)), "228.07847866", "1e-9", R),
        ("V16", by("hyperliquid", Mode.CROSS, "-0.00785", V16, rate="0.01", mark="26961.2",
                   day=OLD), "173198.69592357", "1e-9", R),
        ("V17", by("gate", Mode.ISOLATED, "0.1", "1.49257625", entry="74.35", rate="0.01"),
         "60.07", "2e-7", R),
        ("V18", by("gate", Mode.ISOLATED, "600", "0.006705256878", entry="3536.123",
                   rate="0.005", contract=INVERSE), "3421.54", "1e-4", R),
        ("V19", by("bitget", Mode.ISOLATED, "0.01", "9.6695050093373343", entry="25000",
                   rate="0.004", fee="0.0006"), "24144.1124161806977798", "1e-18", R),
        ("V20 first", by("kucoin", Mode.ISOLATED, "0.001", "2.19675944", entry="43388",
                         maintenance="0.24861326", tick="1", day=OLD), "41440", "0", R),
        ("V20 second", by("kucoin", Mode.ISOLATED, "0.001", "8.03040576", entry="40008",
                          maintenance="0.23284656", tick="1", day=OLD), "32211", "0", R),
        ("V20 short", by("kucoin", Mode.ISOLATED, "-0.005", "1.4", entry="28000",
                         maintenance="0.56", tick="1", day=OLD), "28168", "0", E),
        ("V21 long", by("kucoin", Mode.ISOLATED, "0.01", "62", entry="62000", rate="0.005",
                        fee="0.0006"), "56114.2397", "1e-8", P),
        ("V21 short", by("kucoin", Mode.ISOLATED, "-0.01", "62", entry="62000", rate="0.005",
                         fee="0.0006"), "67820.2068", "1e-8", P),
        ("V22", by("kucoin", Mode.CROSS, "-1", SHARE, rate="0.01", fee="0.0006", mark="3800"),
         "4610.7", "4e-5", E),
        ("V23 initial", lambda: deribit("0.02", 25), "53125", "0", E),
        ("V23 maintenance", lambda: deribit("0.01", 25), "28125", "0", E),
        ("V23 large", lambda: deribit("0.02", 350), "1312500", "0", E),
        ("V24", by("deribit", Mode.CROSS, "25", "100000", mark="100000", rate=by_rule.rate_by_size(
            base=D("0.01"), per_coin=D("0.00005"), size=D(25))), "97092.2882", "1e-8", DERIVED),
        ("V25", by("dydx", Mode.CROSS, "-3", "1000", mark="3000", rate="0.05"),
         "3174.60", "1e-5", E),
        ("V26", by("krakenfutures", Mode.CROSS, "1", "2000", entry="60000", maintenance="600"),
         "58600", "0", U),
        ("V27", binance("2", "60000", "12000", "0.005", "50"), "54246.2311558", "1e-10", DERIVED),
        ("V28 first", walked("10.1", "12000", FOUR_TIERS[2:3]), "59101.9847", "1e-8", DERIVED),
        ("V28", walked("10.1", "12000", FOUR_TIERS), "59102.4429", "1e-8", DERIVED),
        ("V29 first", walked("-9.5", "60000", FOUR_TIERS[1:2]), "65991.0971", "1e-8", DERIVED),
        ("V29", walked("-9.5", "60000", FOUR_TIERS), "65986.8748", "1e-8", DERIVED),
        ("V30", lambda: legs.liquidation_price(V30), "50808.8979", "1e-8", DERIVED),
        ("V30 equity", at_its_price(V30, legs.equity), "285.3387", "1e-6", DERIVED),
        ("V30 maintenance", at_its_price(V30, legs.needed), "285.3387", "1e-6", DERIVED),
        ("V31", lambda: legs.liquidation_price(V31), "53785.7143", "1e-8", DERIVED),
        ("V31 equity", at_its_price(V31, legs.equity), "0.00074369", "1e-5", DERIVED),
        ("V31 maintenance", at_its_price(V31, legs.needed), "0.00074369", "1e-5", DERIVED),
        ("V32 10x", removable(Book(contract=LINEAR, margin=D(12000), legs=(
            Leg(size=D(2), entry_price=D(60000), tiers=V27),)), "59000", 10), "0", "0", P),
        ("V32 20x", removable(Book(contract=LINEAR, margin=D(12000), legs=(
            Leg(size=D(2), entry_price=D(60000), tiers=V27),)), "59000", 20), "4100", "0", P),
        ("V32 inverse", removable(V31, "61000", 20), "0.0145355191", "1e-8", P),
        ("V33 margin", buffered("margin"), "14281", "0", DERIVED),
        ("V33 add", buffered("add"), "2281", "0", DERIVED),
        ("V33 price", buffered("price"), "53100", "0", DERIVED),
    )
]  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{one.id} {one.proof}" for one in VECTORS])
def test_every_vector_of_the_venues_has_its_value(vector: Vector) -> None:
    ours, expected = vector.ours(), D(vector.expected)
    assert ours is not None
    assert abs(ours - expected) <= D(vector.tolerance) * expected


def test_no_vector_is_left_out() -> None:
    assert {int(one.id.split()[0][1:]) for one in VECTORS} == set(range(1, 34))


def test_maintenance_at_mark_would_give_another_price_than_the_old_text_of_bybit() -> None:
    # V7: the price a reader gets who takes maintenance where it follows the mark.
    found = lone.liquidation_price(
        flat(D("0.005")), contract=LINEAR, size=D(5), entry_price=D(8000), margin=D(4000)
    )
    assert found is not None
    assert abs(found - D("7236.18")) < D("0.01")


def test_a_setting_of_ten_keeps_margin_in_and_says_so() -> None:
    # V32: 12,000 of margin on 118,000 of notional, 10,000 of equity, 11,800 of initial margin.
    found = release.removable(
        Release.BINANCE,
        margin=D(12000),
        equity=D(10000),
        maintenance=D(540),
        value=D(118000),
        leverage_setting=D(10),
    )
    assert found.amount == 0
    assert found.binding is Binding.LEVERAGE_SETTING
    assert found.setting_blocks
    assert release.setting_for(equity=D(10000), value=D(118000), amount=D(4100)) == 20
