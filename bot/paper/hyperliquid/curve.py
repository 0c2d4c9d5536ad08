"""Which address does a signature belong to?

Plain arithmetic on secp256k1, for keys that are public: it judges what a client has signed with
another code, and hides nothing from who measures its time.
"""

from functools import lru_cache

from bot.paper.hyperliquid.keccak import keccak

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
Point = tuple[int, int] | None
"""Affine; ``None`` is the neutral one."""
G: Point = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
FIRST_V = 27


class SignatureError(ValueError):
    """No address has made such a signature."""


def _double(point: tuple[int, int, int]) -> tuple[int, int, int]:
    x, y, z = point
    square = y * y % P
    s, m = 4 * x * square % P, 3 * x * x % P
    to_x = (m * m - 2 * s) % P
    return to_x, (m * (s - to_x) - 8 * square * square) % P, 2 * y * z % P


def _sum(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    if not one[2]:
        return other
    if not other[2]:
        return one
    (x, y, z), (a, b, c) = one, other
    u, v = x * c * c % P, a * z * z % P
    s, t = y * c**3 % P, b * z**3 % P
    if u == v:
        return _double(one) if s == t else (0, 1, 0)
    h, r = v - u, t - s
    h2 = h * h % P
    h3, uh = h2 * h % P, u * h2 % P
    to_x = (r * r - h3 - 2 * uh) % P
    return to_x, (r * (uh - to_x) - s * h3) % P, h * z * c % P


def times(factor: int, point: Point) -> tuple[int, int, int]:
    """Return a multiple of a point, in coordinates that are not divided yet."""
    found = (0, 1, 0)
    step = (0, 1, 0) if point is None else (*point, 1)
    while factor:
        if factor & 1:
            found = _sum(found, step)
        step = _double(step)
        factor >>= 1
    return found


def _affine(point: tuple[int, int, int]) -> tuple[int, int]:
    x, y, z = point
    if not z:
        raise SignatureError("no key signs like this")
    inverse = pow(z, -1, P)
    return x * inverse**2 % P, y * inverse**3 % P


def _address(point: tuple[int, int]) -> str:
    x, y = point
    return "0x" + keccak(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[-20:].hex()


@lru_cache(maxsize=64)
def address_of(private: str) -> str:
    """Return the address of a private key.

    Args:
        private: 64 hexadecimal digits, maybe after ``0x``.
    """
    return _address(_affine(times(int(private.removeprefix("0x"), 16), G)))


def recovered(digest: bytes, *, r: int, s: int, v: int) -> str:
    """Return the address whose key has signed a digest.

    Raises:
        SignatureError: There is none.
    """
    if not (0 < r < N and 0 < s < N and v in (FIRST_V, FIRST_V + 1)):
        raise SignatureError("no numbers of a signature")
    square = (r**3 + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        raise SignatureError("no point of the curve")
    if y % 2 != v - FIRST_V:
        y = P - y
    inverse = pow(r, -1, N)
    e = int.from_bytes(digest, "big")
    found = _sum(times(s * inverse % N, (r, y)), times(-e * inverse % N, G))
    return _address(_affine(found))
