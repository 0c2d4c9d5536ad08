"""How is the name of an intent written as an id of Hyperliquid, and read back from one?

The venue takes 128 bits. A name has sixteen letters and digits, so it fits as it is, letter by
letter, and nobody needs a table to know it again.
"""

BYTES = 16


def name_problem(name: str) -> str:
    """Return why a name cannot be sent; empty where it can."""
    if name.isascii() and name.isalnum() and len(name) <= BYTES:
        return ""
    return f"id must be at most {BYTES} letters and digits, was {name!r}"


def cloid_of(name: str) -> str:
    """Return the id of a name."""
    return f"0x{name.encode().ljust(BYTES, bytes(1)).hex()}"


def name_of(cloid: object) -> str:
    """Return the name in an id; empty where it is none of ours, or there is no id."""
    if not isinstance(cloid, str):
        return ""
    try:
        name = bytes.fromhex(cloid.removeprefix("0x")).rstrip(bytes(1)).decode("ascii")
    except ValueError:
        return ""
    return name if name.isalnum() else ""
