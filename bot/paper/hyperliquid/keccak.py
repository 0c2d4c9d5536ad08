"""What is the digest that signatures of the venue are made of?

Keccak with 256 bits as it was before it became a standard: the library of Python has only the later
form, which pads in another way.
"""

LANES = 25
RATE = 136
"""Bytes that one round takes in."""
MASK = (1 << 64) - 1
FULL = 64


def _constants() -> tuple[int, ...]:
    """Return what each round adds, from the shift register that defines it."""
    found, state = [], 1
    for _ in range(24):
        word = 0
        for power in range(7):
            if state & 1:
                word |= 1 << ((1 << power) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        found.append(word)
    return tuple(found)


def _turns() -> tuple[tuple[int, int, int], ...]:
    """Return the walk of lanes: from where, to where, turned by how many bits."""
    found, x, y, turn = [], 1, 0, 0
    for step in range(24):
        turn = (turn + step + 1) % FULL
        to_x, to_y = y, (2 * x + 3 * y) % 5
        found.append((x + 5 * y, to_x + 5 * to_y, turn))
        x, y = to_x, to_y
    return tuple(found)


CONSTANTS = _constants()
TURNS = _turns()


def _turned(lane: int, bits: int) -> int:
    return ((lane << bits) | (lane >> (FULL - bits))) & MASK if bits else lane


def _mixed(lanes: list[int]) -> list[int]:
    for constant in CONSTANTS:
        columns = [
            lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
            for x in range(5)
        ]
        for x in range(5):
            mixed = columns[x - 1] ^ _turned(columns[(x + 1) % 5], 1)
            for y in range(0, LANES, 5):
                lanes[x + y] ^= mixed
        moved = [lanes[0]] * LANES
        for source, target, bits in TURNS:
            moved[target] = _turned(lanes[source], bits)
        for y in range(0, LANES, 5):
            for x in range(5):
                lanes[x + y] = moved[x + y] ^ (
                    ~moved[(x + 1) % 5 + y] & MASK & moved[(x + 2) % 5 + y]
                )
        lanes[0] ^= constant
    return lanes


def keccak(data: bytes) -> bytes:
    """Return the digest of some bytes; 32 of them."""
    padded = bytearray(data)
    padded += bytes(RATE - len(data) % RATE)
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    lanes = [0] * LANES
    for begin in range(0, len(padded), RATE):
        for place in range(RATE // 8):
            at = begin + 8 * place
            lanes[place] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = _mixed(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])
