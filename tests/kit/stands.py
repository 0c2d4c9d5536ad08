"""At which venues does every adapter stand its tests?"""

from collections.abc import Sequence
from typing import Any

from tests.kit.binance import BINANCE
from tests.kit.bitget import BITGET
from tests.kit.bybit import BYBIT
from tests.kit.gate import GATE
from tests.kit.hyperliquid import HYPERLIQUID
from tests.kit.kucoin import KUCOIN
from tests.kit.okx import OKX
from tests.kit.rigs import Stand

STANDS: Sequence[Stand[Any, Any]] = (BINANCE, BYBIT, OKX, GATE, KUCOIN, BITGET, HYPERLIQUID)
