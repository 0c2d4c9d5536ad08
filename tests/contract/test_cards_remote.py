"""Cards on the venue's test hosts: refused without keys, and judged by the venue's other endpoints.

The test hosts are the paper exchange in memory; nothing here can reach a network.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cards.bench import Bench, bench_of
from bot.cards.card import Result, Verdict
from bot.cards.remote import REMOTE, run_remote
from bot.cards.runner import all_cards
from bot.cards.scene import CROSS, LONG, SHORT, Scene
from bot.cards.tongues import TONGUES, tongue_of
from bot.cli import app
from bot.errors import BotError, ConfigError
from bot.exchanges.connect import ConnectionSettings
from bot.exchanges.gateway import GatewaySettings
from bot.exchanges.venues import VENUES
from bot.paper.desk import Asked, Reply
from bot.paper.socketless import SocketlessSession
from tests.kit.breakages.anywhere import moves_twice, nothing_moves, tiers_are_doubled
from tests.kit.breakages.tools import Breaks

VENUE = "binanceusdm"
OTHERS = ("/fapi/v2/positionRisk", "/fapi/v1/algoOrder")
CARDS = {card.number: card for card in all_cards()}


def an_account(**changes: object) -> ConnectionSettings:
    values: dict[str, object] = {
        "account": "main",
        "venue": VENUE,
        "api_key": "paper-key",
        "secret": "paper-secret",
        "symbols": ("SOL/USDT:USDT",),
        "mode": "testnet",
        "bars": 24,
    }
    return ConnectionSettings(**(values | changes))  # type: ignore[arg-type]  # any field by name


async def asked(bench: Bench) -> dict[str, Result]:
    found = await run_remote(
        CARDS.values(),
        an_account(),
        clock=bench.time,
        session=lambda: SocketlessSession(bench.wire.carry),
    )
    return {result.card.number: result for result in found}


@pytest.mark.parametrize("held", [LONG, SHORT], ids=str)
async def test_with_an_isolated_position_each_card_of_the_test_hosts_passes(held: object) -> None:
    async with bench_of(Scene(held=(held,)), venue=VENUE) as bench:  # type: ignore[arg-type]  # one of two
        found = await asked(bench)
    passed = {number for number, result in found.items() if result.verdict is Verdict.PASS}
    assert passed == set(REMOTE), [r.reason for r in found.values() if r.verdict is Verdict.FAIL]
    assert all(r.verdict is Verdict.SKIP for n, r in found.items() if n not in REMOTE)


@pytest.mark.parametrize("held", [(), (CROSS,)], ids=["nothing held", "cross"])
async def test_without_an_isolated_position_cards_say_what_a_person_must_prepare(
    held: tuple[object, ...],
) -> None:
    async with bench_of(Scene(held=held), venue=VENUE) as bench:  # type: ignore[arg-type]  # one of two
        found = await asked(bench)
        assert found["M2-08"].verdict is Verdict.SKIP
        assert "open an isolated position" in found["M2-08"].reason
        assert bench.writes() == []


@pytest.mark.parametrize(
    ("broken", "numbers"),
    [
        pytest.param(moves_twice, {"M2-08", "M2-09", "M3-04"}, id="twice"),
        pytest.param(nothing_moves, {"M2-08", "M2-09"}, id="not at all"),
        pytest.param(tiers_are_doubled, {"M1-08"}, id="other tiers"),
    ],
)
async def test_a_card_fails_where_the_venue_does_something_else(
    monkeypatch: pytest.MonkeyPatch, broken: Breaks, numbers: set[str]
) -> None:
    async with bench_of(Scene(), broken(monkeypatch, tongue_of(VENUE)), venue=VENUE) as bench:
        found = await asked(bench)
    failed = {number for number, result in found.items() if result.verdict is Verdict.FAIL}
    assert numbers <= failed


async def test_cards_that_move_something_are_judged_by_the_other_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bench_of(Scene(), venue=VENUE) as bench:
        carry, first = bench.wire.carry, dict[str, Reply]()

        async def old(asked: Asked) -> Reply:
            reply = await carry(asked)
            is_other = asked.method == "GET" and asked.path in OTHERS
            return first.setdefault(asked.path, reply) if is_other else reply

        monkeypatch.setattr(bench.wire, "carry", old)
        found = await asked(bench)
    failed = {number for number, result in found.items() if result.verdict is Verdict.FAIL}
    assert failed >= {"M2-08", "M2-09", "M3-04", "M6-01", "M7-02"}


async def test_an_order_that_nobody_fills_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.paper.book.fill", lambda *_, **__: [])
    async with bench_of(Scene(), venue=VENUE) as bench:
        reduced = (await asked(bench))["M6-01"]
    assert reduced.verdict is Verdict.SKIP
    assert "nothing was filled" in reduced.reason


async def test_history_that_lags_longer_than_the_bot_relies_on_fails() -> None:
    async with bench_of(Scene(lag_ms=3000), venue=VENUE) as bench:
        assert (await asked(bench))["M8-03"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "account",
    [
        pytest.param(an_account(mode="live"), id="live"),
        pytest.param(an_account(mode="paper"), id="paper"),
        pytest.param(
            an_account(gateway=GatewaySettings(address="127.0.0.1:1", ca_file=Path("ca.pem"))),
            id="gateway",
        ),
    ],
)
async def test_cards_never_act_on_any_other_account(account: ConnectionSettings) -> None:
    async with bench_of(Scene(), venue=VENUE) as bench:
        before = len(bench.wire.asked)
        with pytest.raises(ConfigError, match="must be testnet"):
            await run_remote(
                CARDS.values(),
                account,
                clock=bench.time,
                session=lambda: SocketlessSession(bench.wire.carry),
            )
        assert len(bench.wire.asked) == before


async def test_a_venue_that_nothing_can_judge_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(TONGUES, VENUE, replace(tongue_of(VENUE), beside=None))
    async with bench_of(Scene(), venue=VENUE) as bench:
        with pytest.raises(ConfigError, match="no endpoints beside"):
            await asked(bench)
        assert bench.writes() == []


def said(*arguments: str) -> str:
    with pytest.raises(BotError) as refused:
        CliRunner().invoke(app, ["cards", *arguments], catch_exceptions=False)
    return str(refused.value)


LIVE = """
[bot]
mode = "{mode}"
[[accounts]]
name = "main"
symbols = ["BTC/USDT:USDT"]
"""


def test_against_testnet_without_a_configuration_says_what_is_needed() -> None:
    assert "-c FILE" in said("--against", "testnet")


def test_against_testnet_takes_no_live_account(tmp_path: Path) -> None:
    file = tmp_path / "bot.toml"
    file.write_text(LIVE.format(mode="live"))
    assert "must be testnet" in said("--against", "testnet", "-c", str(file))


def test_against_testnet_without_keys_says_so(tmp_path: Path) -> None:
    file = tmp_path / "bot.toml"
    file.write_text(LIVE.format(mode="testnet"))
    assert "api_key" in said("--against", "testnet", "-c", str(file))


def test_unknown_venues_and_cards_are_named() -> None:
    assert "binanceusdm" in said("--venue", "nowhere")
    assert "M2-99" in said("--only", "M2-99")


@pytest.mark.parametrize("part", [("--only", "M5"), ("--venue", VENUE, "--only", "M5")])
def test_a_part_of_the_cards_is_no_page(tmp_path: Path, part: tuple[str, ...]) -> None:
    assert "--venue" in said(*part, "--write", str(tmp_path / "page.md"))


def test_an_account_elsewhere_than_asked_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VENUES, "elsewhere", VENUES[VENUE])
    monkeypatch.setitem(TONGUES, "elsewhere", replace(tongue_of(VENUE), venue="elsewhere"))
    file = tmp_path / "bot.toml"
    file.write_text(LIVE.format(mode="testnet") + 'api_key = "k"\nsecret = "s"\n')
    told = said("--against", "testnet", "--venue", "elsewhere", "-c", str(file))
    assert "accounts.0.venue must be elsewhere" in told


def test_chosen_cards_are_shown_with_the_reasons_of_those_that_are_skipped() -> None:
    done = CliRunner().invoke(app, ["cards", "--venue", VENUE, "--only", "M5"])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert len(lines) == 9
    assert lines[1].startswith("M5-02  skip direction main to sub only: no code path")
    assert lines[-1] == "5 passed, 3 skipped, 0 failed, 8 cards"


def test_a_card_that_fails_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.exchanges.binance.adapter._check_whole", lambda *_: None)
    done = CliRunner().invoke(app, ["cards", "--venue", VENUE, "--only", "M1-11", "--json"])
    assert done.exit_code == 5
    assert '"verdict": "fail"' in done.output
