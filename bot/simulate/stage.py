"""Which market, exchange and configuration does a case begin with?"""

from dataclasses import replace
from decimal import Decimal

from bot.paper.engine import Engine
from bot.paper.instruments import CONTRACTS
from bot.paper.market import Path, Scripted
from bot.settings import Loaded, StrategySection
from bot.simulate.case import PATHS, PRICES, Case
from bot.simulate.machine import START_MS

BARS = 24


def feed_of(case: Case) -> Scripted:
    """Return the prices of a case."""
    is_short = case.held[0].notional < 0
    paths = []
    for held in case.held:
        points = tuple(
            (round(share * case.storm), (1 / factor if is_short else factor))
            for share, factor in PATHS[case.path]
        )
        paths.append(
            Path(
                contract=CONTRACTS[held.symbol],
                start=PRICES[held.symbol],
                volatility=0.004,
                points=_ascending(points),
            )
        )
    return Scripted(paths, start_ms=START_MS, seed=case.seed, hours=BARS + 2)


def engine_of(case: Case, feed: Scripted) -> Engine:
    """Return the exchange with what is held at the start."""
    engine = Engine(
        contracts=CONTRACTS,
        feed=feed,
        start_ms=START_MS,
        transfer_delay_ms=case.transfer_ms,
        history_lag_ms=case.history_lag_ms,
    )
    engine.hedge_mode = case.hedge
    engine.cross["USDT"], engine.spot["USDT"] = Decimal(10**9), case.spot
    for held in case.held:
        contract = CONTRACTS[held.symbol]
        mark = engine.quotes[held.symbol].mark
        lots = (abs(held.notional) / mark / contract.lot).to_integral_value()
        size = max(lots, Decimal(1)) * contract.lot
        engine.hold(held.symbol, size if held.notional > 0 else -size, leverage=held.leverage)
    engine.cross["USDT"] = case.futures
    return engine


def _ascending(points: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
    """Return the points with equal seconds moved apart."""
    found: list[tuple[int, float]] = []
    for second, factor in points:
        found.append((max(second, found[-1][0] + 1) if found else second, factor))
    return tuple(found)


def configured(loaded: Loaded, case: Case) -> Loaded:
    """Return the configuration of a case."""
    settings = loaded.settings
    account = settings.accounts[0].model_copy(
        update={
            "symbols": tuple(f"{CONTRACTS[h.symbol].base}/USDT:USDT" for h in case.held),
            "reserves": dict(case.reserves),
            "bars": BARS,
        }
    )
    changed = {
        "accounts": (account,),
        "strategy": StrategySection(**case.strategy),
        "bot": settings.bot.model_copy(update={"poll_interval": case.interval}),
        "limits": settings.limits.model_copy(
            update={"give_back_confirmation": 5, "rebalance_interval": 10, "cooldown": 2}
        ),
    }
    return replace(loaded, settings=settings.model_copy(update=changed))
