"""What does a misbehaving exchange say instead of its answer?"""

import dataclasses

from bot.paper.desk import Asked, Desk, Reply
from bot.paper.faults import Fault

UNAVAILABLE = Reply(status=503, text="Service Unavailable", kind="text/plain")
PAGE = Reply(
    status=200,
    text="<html><head><title>403 Forbidden</title></head><body>cloudfront</body></html>",
    kind="text/html",
)
EMPTY = Reply(status=200, text="")


def instead(fault: Fault, desk: Desk, asked: Asked) -> Reply | None:
    """Return what is said without the request having arrived; ``None`` where it arrives."""
    match fault.kind:
        case "abort" | "http_503":
            return UNAVAILABLE
        case "html":
            return PAGE
        case "http_403":
            return dataclasses.replace(PAGE, status=403)
        case "empty":
            return EMPTY
        case "rate_429" | "ban_418":
            desk.exhaust(asked, ban=fault.kind == "ban_418")
    return None


def distorted(fault: Fault, desk: Desk, asked: Asked, reply: Reply) -> Reply:
    """Return what is said of a request that took effect."""
    match fault.kind:
        case "http_503_after":
            return UNAVAILABLE
        case "timeout_1007":
            return desk.timed_out(asked)
        case "half_json":
            return dataclasses.replace(reply, text=reply.text[: len(reply.text) // 2])
        case "rewrite":
            return dataclasses.replace(reply, text=fault.rewrite(reply.text))
    return reply
