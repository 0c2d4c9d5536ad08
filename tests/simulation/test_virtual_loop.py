"""The loop rests on private parts of CPython: what it promises is checked before it is used."""

import asyncio
import time

import pytest

from bot.simulate.loop import DeadlockError, VirtualLoop


def run(seed: str, main: object) -> VirtualLoop:
    loop = VirtualLoop(seed)
    try:
        loop.run_until_complete(main)  # type: ignore[arg-type]  # a coroutine
    finally:
        loop.close()
    return loop


def test_a_day_passes_in_no_time_and_timers_fire_in_order() -> None:
    fired: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for delay in (3600.0, 1.0, 86_400.0, 60.0):
            loop.call_later(delay, lambda: fired.append(loop.time()))
        await asyncio.sleep(100_000)

    began = time.monotonic()
    loop = run("a", main())
    assert fired == [1.0, 60.0, 3600.0, 86_400.0]
    assert loop.time() == 100_000
    assert time.monotonic() - began < 5


def order(seed: str) -> list[int]:
    seen: list[int] = []

    async def main() -> None:
        async def step(number: int) -> None:
            for _ in range(3):
                await asyncio.sleep(0)
                seen.append(number)

        await asyncio.gather(*(step(number) for number in range(6)))

    run(seed, main())
    return seen


def test_the_seed_decides_the_order_of_what_is_ready_at_once() -> None:
    assert order("a") == order("a")
    assert len({tuple(order(f"{seed}")) for seed in range(10)}) > 1


def test_who_waits_for_nothing_is_told() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    loop = VirtualLoop("a")
    with pytest.raises(DeadlockError):
        loop.run_until_complete(main())
    loop.close()


def test_threads_are_refused() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="no threads"):
            await asyncio.to_thread(print)

    run("a", main())


def test_time_outs_and_cancellation_work_as_ever() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(10), 1)
        assert asyncio.get_running_loop().time() == 1

    run("a", main())
