"""What does each venue do, and since when?

Every row is data for one solver. Its proofs and bound say how far to believe it (docs/margin.md).
"""

from datetime import date
from decimal import Decimal

from bot.domain.instrument import Contract
from bot.margin import rules
from bot.margin.rules import (
    Backing,
    Basis,
    Brackets,
    Fee,
    Finish,
    Mode,
    Proof,
    Release,
    Rule,
)

P, E, R, D, U = (
    Proof.PUBLISHED,
    Proof.EXAMPLE,
    Proof.RECORDED,
    Proof.DERIVED,
    Proof.UNVERIFIED,
)
LINEAR, INVERSE = Contract.LINEAR, Contract.INVERSE
BYBIT_CHANGE = date(2026, 5, 27)
"""The day of the newer text; since when its formula holds is not known."""
KUCOIN_CHANGE = date(2025, 5, 22)
"""As announced by the venue."""
HYPERLIQUID_CHANGE = date(2023, 3, 28)
"""The day after the only record of the old formula; when it ended is not known."""

BINANCE = (
    Rule(
        key="BN-ISO", venue="binance", mode=Mode.ISOLATED, contract=LINEAR,
        release=Release.BINANCE, proofs=(P, E, R), bound=Decimal("0.05"),
        source="Binance help b3c689c1f50a44cabb3a84e663b81d93, 360038447311",
    ),
    Rule(
        key="BN-X", venue="binance", mode=Mode.CROSS, contract=LINEAR, proofs=(P, E),
        bound=Decimal("0.05"), source="Binance help b3c689c1f50a44cabb3a84e663b81d93",
        note="collateral less maintenance plus profit of all other cross positions",
    ),
    Rule(
        key="BN-XM", venue="binance", mode=Mode.MULTI_ASSET, contract=LINEAR, proofs=(R,),
        bound=Decimal("0.05"), source="Binance multi-assets mode rules",
        note="account totals in USD; what is left of the error is the rate of another currency",
    ),
    Rule(
        key="BN-XH", venue="binance", mode=Mode.HEDGE, contract=LINEAR, proofs=(D,),
        source="Binance help b3c689c1f50a44cabb3a84e663b81d93",
    ),
    Rule(
        key="BN-C", venue="binance", mode=Mode.ISOLATED, contract=INVERSE,
        release=Release.BINANCE, proofs=(D,),
        source="Binance help ceccfcfb4e3a45e3b48b0b1bb1a8ae46, 360038447311",
        note="tiers and amounts in coin; the records lack the wallet",
    ),
    Rule(
        key="BN-CX", venue="binance", mode=Mode.CROSS, contract=INVERSE, proofs=(D,),
        source="Binance help ceccfcfb4e3a45e3b48b0b1bb1a8ae46", note="as BN-C",
    ),
    Rule(
        key="BN-CH", venue="binance", mode=Mode.HEDGE, contract=INVERSE, proofs=(D,),
        source="Binance help ceccfcfb4e3a45e3b48b0b1bb1a8ae46", note="as BN-C",
    ),
    Rule(
        key="BN-PM", venue="binance", mode=Mode.PORTFOLIO, contract=LINEAR,
        brackets=Brackets.RATIO, backing=Backing.EQUITY, proofs=(P,),
        source="Binance announcement 5e33af8e6ac04d57a1d0a3398e0a0752",
    ),
)  # fmt: skip
BYBIT = (
    Rule(
        key="BY-LO", venue="bybit", mode=Mode.ISOLATED, contract=LINEAR, until=BYBIT_CHANGE,
        backing=Backing.SETTING, basis=Basis.ENTRY, proofs=(P, E), bound=Decimal("0.01"),
        source="Bybit help, Liquidation Price (USDT Contract)",
    ),
    Rule(
        key="BY-IO", venue="bybit", mode=Mode.ISOLATED, contract=INVERSE, until=BYBIT_CHANGE,
        backing=Backing.SETTING, basis=Basis.ENTRY, has_amounts=False, finish=Finish.NEAREST_TICK,
        proofs=(P, R), bound=Decimal("0.5"),
        source="Bybit help, inverse contract; bybit-exchange/docs",
        note="which way the tick is rounded was not seen",
    ),
    Rule(
        key="BY-LN", venue="bybit", mode=Mode.ISOLATED, contract=LINEAR, since=BYBIT_CHANGE,
        backing=Backing.SETTING_AFTER_FEE, proofs=(D, U),
        source="Bybit help, Liquidation Price Calculation under Isolated Mode (Unified Trading)",
        note="by analogy with the inverse text",
    ),
    Rule(
        key="BY-IN", venue="bybit", mode=Mode.ISOLATED, contract=INVERSE, since=BYBIT_CHANGE,
        backing=Backing.SETTING_AFTER_FEE, proofs=(P,),
        source="Bybit help, Liquidation Price Calculation under Isolated Mode (Unified Trading)",
        note="no record",
    ),
    Rule(
        key="BY-X", venue="bybit", mode=Mode.CROSS, contract=LINEAR, backing=Backing.EQUITY,
        brackets=Brackets.RATIO, proofs=(P, D),
        source="bybit-exchange/docs v5/account/wallet-balance",
        note="judged by the rate of the account; a price is an estimate for one position",
    ),
    Rule(
        key="BY-PM", venue="bybit", mode=Mode.PORTFOLIO, contract=LINEAR, backing=Backing.EQUITY,
        brackets=Brackets.RATIO, proofs=(P,), source="bybit-exchange/docs v5/position",
    ),
)  # fmt: skip
OKX = (
    Rule(
        key="OK-L", venue="okx", mode=Mode.ISOLATED, contract=LINEAR, brackets=Brackets.SIZE,
        has_amounts=False, fee=Fee.TAKER, finish=Finish.PLUS_TICK, proofs=(R,),
        bound=Decimal("0.01"), source="OKX help 360054690531; ccxt issue 28121",
        note="the tick of shorts was not seen",
    ),
    Rule(
        key="OK-I", venue="okx", mode=Mode.ISOLATED, contract=INVERSE, brackets=Brackets.SIZE,
        has_amounts=False, fee=Fee.TAKER, finish=Finish.PLUS_TICK, proofs=(R,),
        bound=Decimal("0.01"), source="OKX help 360054690531; JKorf/OKX.Net@8861159",
        note="one API sample, a long",
    ),
    Rule(
        key="OK-M", venue="okx", mode=Mode.SPOT, contract=LINEAR, backing=Backing.LIABILITY,
        brackets=Brackets.SIZE, has_amounts=False, fee=Fee.TAKER, proofs=(P, R),
        bound=Decimal("0.01"), source="OKX help 6997123251341; ccxt PR 16498",
        note="one short; its fee of 0.15 % is the record's",
    ),
    Rule(
        key="OK-X", venue="okx", mode=Mode.CROSS, contract=LINEAR, backing=Backing.EQUITY,
        brackets=Brackets.RATIO, has_amounts=False, fee=Fee.LIQUIDATION, proofs=(P,),
        source="OKX help 360054690531 (copies)", note="per settle currency",
    ),
    Rule(
        key="OK-XM", venue="okx", mode=Mode.MULTI_ASSET, contract=LINEAR, backing=Backing.EQUITY,
        brackets=Brackets.RATIO, has_amounts=False, fee=Fee.LIQUIDATION, proofs=(P,),
        source="OKX help 360054690531", note="adjusted equity in USD, tiered discounts",
    ),
    Rule(
        key="OK-PM", venue="okx", mode=Mode.PORTFOLIO, contract=LINEAR, backing=Backing.EQUITY,
        brackets=Brackets.RATIO, has_amounts=False, proofs=(U,), source="OKX API account",
    ),
)  # fmt: skip
HYPERLIQUID = (
    Rule(
        key="HL", venue="hyperliquid", mode=Mode.ISOLATED, contract=LINEAR, backing=Backing.RAW,
        since=HYPERLIQUID_CHANGE, release=Release.TENTH, proofs=(P, R), bound=Decimal("0.4"),
        source="Hyperliquid docs, Liquidations, Margin tiers",
        note="half the initial rate of a tier at its highest leverage; amounts beyond the first "
        "tier keep it continuous",
    ),
    Rule(
        key="HL-X", venue="hyperliquid", mode=Mode.CROSS, contract=LINEAR,
        since=HYPERLIQUID_CHANGE, backing=Backing.EQUITY, release=Release.TENTH, proofs=(P, R),
        bound=Decimal("0.01"), source="Hyperliquid docs, Liquidations", note="one row",
    ),
    Rule(
        key="HL-23", venue="hyperliquid", mode=Mode.CROSS, contract=LINEAR,
        until=HYPERLIQUID_CHANGE, backing=Backing.EQUITY, basis=Basis.MARK, has_amounts=False,
        proofs=(R,), bound=Decimal("0.01"), source="records of 2023-03-27",
        note="one hundredth of the notional at mark; when it ended is not known",
    ),
)  # fmt: skip
OTHERS = (
    Rule(
        key="GT-L", venue="gate", mode=Mode.ISOLATED, contract=LINEAR, has_amounts=False,
        fee=Fee.FIXED, fee_rate=Decimal("0.00075"), finish=Finish.NEAREST_TICK, proofs=(R,),
        bound=Decimal("0.01"), source="gatenode.pro/post/status/3870211",
        note="the fee comes from a reply of the support",
    ),
    Rule(
        key="GT-I", venue="gate", mode=Mode.ISOLATED, contract=INVERSE, has_amounts=False,
        fee=Fee.FIXED, fee_rate=Decimal("0.00075"), proofs=(R,), bound=Decimal(1),
        source="JKorf/GateIo.Net@29d1782", note="one liquidation of 2019",
    ),
    Rule(
        key="BG", venue="bitget", mode=Mode.ISOLATED, contract=LINEAR, has_amounts=False,
        fee=Fee.TAKER, proofs=(P, R), bound=Decimal("0.01"),
        source="Bitget help 12560603808759", note="one API sample",
    ),
    Rule(
        key="BG-X", venue="bitget", mode=Mode.CROSS, contract=LINEAR, has_amounts=False,
        fee=Fee.TAKER, proofs=(P, U), source="Bitget help 12560603813276",
        note="total asset plus profit less maintenance of the others; no record",
    ),
    Rule(
        key="KC-O", venue="kucoin", mode=Mode.ISOLATED, contract=LINEAR, until=KUCOIN_CHANGE,
        basis=Basis.ENTRY, finish=Finish.UP_IF_LONG, proofs=(R, E), bound=Decimal("0.01"),
        source="KuCoin help 4408061803033", note="the venue's own maintenance figure",
    ),
    Rule(
        key="KC-N", venue="kucoin", mode=Mode.ISOLATED, contract=LINEAR, since=KUCOIN_CHANGE,
        has_amounts=False, fee=Fee.LIQUIDATION, proofs=(P,),
        source="KuCoin announcement, update to the isolated margin calculation formula",
        note="no record after the change",
    ),
    Rule(
        key="KC-X", venue="kucoin", mode=Mode.CROSS, contract=LINEAR, has_amounts=False,
        backing=Backing.EQUITY, fee=Fee.TAKER, proofs=(P, E), bound=Decimal("0.4"),
        source="KuCoin help 35084431335065",
        note="equity is the share of the position in all margin; 'for reference', says the venue, "
        "and a second example of it contradicts itself by 60 bp",
    ),
    Rule(
        key="DB", venue="deribit", mode=Mode.CROSS, contract=LINEAR, backing=Backing.EQUITY,
        brackets=Brackets.SIZE, has_amounts=False, proofs=(P, D),
        source="Deribit help 25944738177565", note="the rate grows with size; a price is derived",
    ),
    Rule(
        key="DB-I", venue="deribit", mode=Mode.CROSS, contract=INVERSE, backing=Backing.EQUITY,
        brackets=Brackets.SIZE, has_amounts=False, proofs=(P, D),
        source="Deribit help 25944738177565", note="as DB",
    ),
    Rule(
        key="KR", venue="krakenfutures", mode=Mode.CROSS, contract=LINEAR, basis=Basis.ENTRY,
        has_amounts=False, proofs=(P, D, U), source="Kraken support 4844463246100",
        note="tier by size in USD, maintenance fixed at entry value; the price is derived",
    ),
    Rule(
        key="DX", venue="dydx", mode=Mode.CROSS, contract=LINEAR, backing=Backing.EQUITY,
        has_amounts=False, proofs=(P, E), bound=Decimal("0.1"),
        source="dydxprotocol/v4-documentation@3e475b7", note="against the oracle price",
    ),
)  # fmt: skip
RULES = (*BINANCE, *BYBIT, *OKX, *HYPERLIQUID, *OTHERS)


def rule_for(*, venue: str, mode: Mode, contract: Contract, day: date) -> Rule:
    """Return the rule of a venue that is in force on a day.

    Raises:
        NoRule: Naming what was asked for and which rules of the venue there are.
    """
    return rules.choose(RULES, venue=venue, mode=mode, contract=contract, day=day)
