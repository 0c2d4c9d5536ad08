"""Whose signature does an action carry?

The venue packs an action in an order of its own, so a client that packs it in another order, or
writes a number in another way, has signed something else: an address comes out that nobody knows.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

from bot.paper.hyperliquid.curve import SignatureError, recovered
from bot.paper.hyperliquid.keccak import keccak

MAINNET, TESTNET = "a", "b"
"""What is signed for which chain."""
FIELDS: Mapping[str, tuple[str, ...]] = {
    "order": ("type", "orders", "grouping"),
    "orders": ("a", "b", "p", "s", "r", "t", "c"),
    "t": ("limit", "trigger"),
    "limit": ("tif",),
    "trigger": ("isMarket", "triggerPx", "tpsl"),
    "cancel": ("type", "cancels"),
    "cancels": ("a", "o"),
    "updateIsolatedMargin": ("type", "asset", "isBuy", "ntli"),
    "updateLeverage": ("type", "asset", "isCross", "leverage"),
}
"""Of an action, and of what is in it."""
PRICES = frozenset({"p", "s", "triggerPx"})
"""Numbers in words, which the venue writes without zeros that say nothing."""
FIX = 16
TINY, BYTE, WORD, LONG = 0x80, 0x100, 0x10000, 0x100000000
SHORT_TEXT = 32
LEAST = -(2**63)


def ordered(value: Any, name: str) -> Any:
    """Return an action as the venue packs it; what it does not know is left out.

    Raises:
        ValueError: It has what the venue has no field for.
    """
    if isinstance(value, list):
        return [ordered(item, name) for item in value]
    if isinstance(value, dict):
        known = FIELDS.get(name)
        if known is None or not set(value) <= set(known):
            raise ValueError(f"no such fields in {name}")
        return {key: ordered(value[key], key) for key in known if key in value}
    if name in PRICES and isinstance(value, str) and "." in value:
        return value.rstrip("0").rstrip(".")
    return value


def packed(value: Any) -> bytes:
    """Return a value in MessagePack.

    Raises:
        ValueError: It is of another kind, or too large.
    """
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return _number(value)
    if isinstance(value, str):
        data = value.encode()
        if len(data) < SHORT_TEXT:
            return bytes([0xA0 | len(data)]) + data
        return b"\xd9" + bytes([_small(len(data))]) + data
    if isinstance(value, list):
        return _head(0x90, len(value)) + b"".join(packed(item) for item in value)
    if isinstance(value, dict):
        parts = (packed(key) + packed(item) for key, item in value.items())
        return _head(0x80, len(value)) + b"".join(parts)
    raise ValueError(f"no {type(value).__name__} in an action")


def _small(size: int) -> int:
    if size >= BYTE:
        raise ValueError("too long a text")
    return size


def _head(mark: int, size: int) -> bytes:
    if size >= FIX:
        raise ValueError("too long a list")
    return bytes([mark | size])


def _number(value: int) -> bytes:
    if value < LEAST or value >= -LEAST:
        raise ValueError("too large a number")
    if value >= 0:
        if value < TINY:
            return bytes([value])
        for limit, mark, shape in ((BYTE, 0xCC, ">B"), (WORD, 0xCD, ">H"), (LONG, 0xCE, ">I")):
            if value < limit:
                return bytes([mark]) + struct.pack(shape, value)
        return b"\xcf" + struct.pack(">Q", value)
    if value >= -SHORT_TEXT:
        return struct.pack(">b", value)
    for limit, mark, shape in ((BYTE, 0xD0, ">b"), (WORD, 0xD1, ">h"), (LONG, 0xD2, ">i")):
        if value >= -limit // 2:
            return bytes([mark]) + struct.pack(shape, value)
    return b"\xd3" + struct.pack(">q", value)


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _domain(name: str, chain: int) -> bytes:
    kind = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    parts = (keccak(kind), keccak(name.encode()), keccak(b"1"), _word(chain), _word(0))
    return keccak(b"".join(parts))


EXCHANGE = _domain("Exchange", 1337)
AGENT = keccak(b"Agent(string source,bytes32 connectionId)")
TRANSFER = keccak(
    b"HyperliquidTransaction:UsdClassTransfer"
    b"(string hyperliquidChain,string amount,bool toPerp,uint64 nonce)"
)


def signer(body: Mapping[str, Any], *, source: str = MAINNET) -> str:
    """Return the address that has signed a request.

    Args:
        body: Of it.
        source: Of the chain that it is for.

    Raises:
        SignatureError: None has.
    """
    action, signature = body.get("action"), body.get("signature")
    if not isinstance(action, dict) or not isinstance(signature, dict):
        raise SignatureError("an action and its signature")
    try:
        r, s = (int(str(signature[part]), 16) for part in ("r", "s"))
        v = int(signature["v"])
        is_owners = action.get("type") == "usdClassTransfer"
        digest = _of_owner(action) if is_owners else _of_agent(action, body, source)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise SignatureError(str(error)) from error
    return recovered(digest, r=r, s=s, v=v)


def _of_agent(action: dict[str, Any], body: Mapping[str, Any], source: str) -> bytes:
    said = packed(ordered(action, str(action["type"])))
    said += int(body["nonce"]).to_bytes(8, "big") + b"\x00"  # on behalf of no vault
    if body.get("expiresAfter") is not None:
        said += b"\x00" + int(body["expiresAfter"]).to_bytes(8, "big")
    return _digest(EXCHANGE, AGENT + keccak(source.encode()) + keccak(said))


def _of_owner(action: Mapping[str, Any]) -> bytes:
    chain, amount = (keccak(str(action[key]).encode()) for key in ("hyperliquidChain", "amount"))
    words = _word(int(bool(action["toPerp"]))) + _word(int(action["nonce"]))
    domain = _domain("HyperliquidSignTransaction", int(str(action["signatureChainId"]), 16))
    return _digest(domain, TRANSFER + chain + amount + words)


def _digest(domain: bytes, message: bytes) -> bytes:
    return keccak(b"\x19\x01" + domain + keccak(message))


def decoded(raw: bytes) -> Any:
    """Return a body with the digits of its numbers.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        return json.loads(raw, parse_float=str)
    except RecursionError as error:
        raise ValueError("too deep") from error
