"""The paper exchange in the words of Bitget, its adapter, and requests signed by hand."""

import json
from typing import Any, TypeAlias

from bot.exchanges.bitget.adapter import BitgetVenue
from bot.paper.bitget.desk import BitgetDesk
from bot.paper.bitget.request import signed as signature
from bot.paper.desk import Asked
from tests.kit import rigs
from tests.kit.paper import KEYS

Rig: TypeAlias = rigs.Rig[BitgetDesk]
BITGET = rigs.Stand(
    venue="bitget",
    desk=BitgetDesk,
    adapter=BitgetVenue,
    root="/api/v2",
    settings={"password": KEYS.password, "bars": 48},
)
serving, connected = BITGET.serving, BITGET.connected


def signed(
    desk: BitgetDesk, method: str, path: str, said: str = "", *, shift: float = 0.0, **changes: str
) -> Asked:
    """Return a request signed by hand.

    Args:
        desk: Whose time it carries.
        method: HTTP.
        path: With its leading slash.
        said: The query, or the body of a POST.
        shift: Of the time inside. [s]
        changes: Headers that are other than they should be, with underscores.
    """
    stamp = str(desk.pace.now_ms + round(shift * 1000))
    query, body = ("", said.encode()) if method == "POST" else (said, b"")
    bare = Asked(method=method, path=path, query=query, body=body)
    headers = {
        "access-key": KEYS.key,
        "access-passphrase": KEYS.password,
        "access-timestamp": stamp,
        "access-sign": signature(bare, stamp, KEYS.secret),
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return Asked(method=method, path=path, query=query, body=body, headers=headers)


def told(desk: BitgetDesk, asked: Asked) -> tuple[int, str, Any]:
    """Return status, code and data of an answer."""
    reply = desk.answer(asked)
    body = json.loads(reply.text)
    return reply.status, body["code"], body["data"]
