"""What did the exchange itself book? Read over its own endpoints, with nothing of the bot."""

import hashlib
import hmac
import http.client
import json
import socket
import ssl
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

KEY, SECRET = "paper-key", "paper-secret"
HOSTS = {"fapi": "fapi.binance.com", "sapi": "api.binance.com"}
PAGE = 100
ALL = 1_000_000

Effect = tuple[str, str, Decimal]
"""Kind of action; what it touched, or the client's id of an order; amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Everything that moved money since the exchange began.

    Attributes:
        effects: How often each happened.
        stops: Ids, as the client gave them, of the stops that stand.
        times: When each margin move and transfer happened, in order. [ms]
        futures: Wallet with the margin inside positions. [quote]
        spot: Wallet. [quote]
        booked: Sum of the futures ledger: fees, results, funding, transfers. [quote]
        moved_in: Sum of transfers from spot to futures, less those back. [quote]
        liquidations: Lines of the futures ledger that a liquidation wrote.
    """

    effects: Counter[Effect]
    stops: frozenset[str]
    times: tuple[int, ...]
    futures: Decimal
    spot: Decimal
    booked: Decimal
    moved_in: Decimal
    liquidations: int


class Reader:
    """The exchange as its owner reads it."""

    def __init__(self, address: str, ca_file: Path) -> None:
        host, _, port = address.rpartition(":")
        self._to = (host, int(port))
        self._context = ssl.create_default_context(cafile=str(ca_file))

    def now_ms(self) -> int:
        """Return market time. [ms]."""
        return int(self._ask("GET", "/fapi/v1/time", {}, signed=False)["serverTime"])

    def ledger(self, symbols: tuple[str, ...]) -> Ledger:
        """Return all of it; symbols as the exchange names them."""
        effects: Counter[Effect] = Counter()
        times: list[int] = []
        for symbol in symbols:
            moves = self._get("/fapi/v1/positionMargin/history", symbol=symbol, limit=ALL)
            for row in moves:
                kind = "add_margin" if row["type"] == 1 else "remove_margin"
                effects[kind, symbol, Decimal(row["amount"])] += 1
                times.append(row["time"])
            for row in self._get("/fapi/v1/allOrders", symbol=symbol, limit=ALL):
                if Decimal(row["executedQty"]):
                    name = ("reduce_position", row["clientOrderId"])
                    effects[(*name, Decimal(row["executedQty"]))] += 1
                    times.append(row["time"])
        moved_in = Decimal(0)
        for route, sign in (("MAIN_UMFUTURE", 1), ("UMFUTURE_MAIN", -1)):
            for row in self._transfers(route):
                effects["transfer", route, Decimal(row["amount"])] += 1
                moved_in += sign * Decimal(row["amount"])
                times.append(row["timestamp"])
        stops = self._get("/fapi/v1/openAlgoOrders")
        income = self._get("/fapi/v1/income", limit=ALL)
        account = self._get("/fapi/v3/account")
        assets = self._ask("POST", "/sapi/v3/asset/getUserAsset", {})
        return Ledger(
            effects=effects,
            stops=frozenset(row["clientAlgoId"] for row in stops),
            times=tuple(sorted(times)),
            futures=Decimal(account["totalWalletBalance"]),
            spot=sum((Decimal(row["free"]) for row in assets), Decimal(0)),
            booked=sum((Decimal(row["income"]) for row in income), Decimal(0)),
            moved_in=moved_in,
            liquidations=sum(row["incomeType"] == "INSURANCE_CLEAR" for row in income),
        )

    def _transfers(self, route: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self._get(
                "/sapi/v1/asset/transfer",
                type=route,
                size=PAGE,
                current=len(found) // PAGE + 1,
            )
            found += page["rows"]
            if len(page["rows"]) < PAGE:
                assert len(found) == page["total"]
                return found

    def _get(self, path: str, **parameters: Any) -> Any:
        return self._ask("GET", path, parameters)

    def _ask(
        self, method: str, path: str, parameters: dict[str, Any], *, signed: bool = True
    ) -> Any:
        if signed:
            parameters = {**parameters, "timestamp": self.now_ms()}
        query = urlencode(parameters)
        if signed:
            stamp = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
            query += f"&signature={stamp}"
        host = HOSTS[path.split("/")[1]]
        connection = http.client.HTTPSConnection(host, timeout=60)
        raw = socket.create_connection(self._to, timeout=60)
        connection.sock = self._context.wrap_socket(raw, server_hostname=host)
        try:
            connection.request(method, f"{path}?{query}", headers={"X-MBX-APIKEY": KEY})
            answer = connection.getresponse()
            body = json.loads(answer.read())
        finally:
            connection.close()
        assert answer.status == http.client.OK, f"{path} must answer, said {body}"
        return body
