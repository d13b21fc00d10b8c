"""Waiters and holds."""

import asyncio
import threading

from colony.stm.waiting import Hold, LoopWaiter, ThreadWaiter


def test_a_ring_before_the_wait_is_not_lost():
    """A thread that waits after the ring goes on at once, and ringing twice is ringing once."""
    waiter = ThreadWaiter()
    waiter.ring()
    waiter.ring()
    thread = threading.Thread(target=waiter.wait, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def test_a_task_is_woken_from_another_thread():
    """Ringing a loop's waiter from a thread wakes the task, twice or once alike."""

    errors = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context))
        waiter = LoopWaiter()
        thread = threading.Thread(target=lambda: [waiter.ring(), waiter.ring()], daemon=True)
        thread.start()
        await asyncio.wait_for(waiter.wait(), 30)
        thread.join(30)
        await asyncio.to_thread(lambda: None)

    asyncio.run(main())
    assert errors == []


def test_ringing_a_closed_loop_is_harmless():
    """A waiter whose loop has gone cannot break the commit that rings it."""

    async def main():
        return LoopWaiter()

    asyncio.run(main()).ring()


def test_a_hold_bars_writes_to_its_footprint_and_reads_of_what_it_will_publish():
    """Writes wait for what the holder read or writes, ordered reads for what it writes, all for a full hold."""
    read, written, other = object(), object(), object()
    hold = Hold({read}, {written})
    assert hold.bars((), {read})
    assert hold.bars((), {written})
    assert hold.bars({written}, ())
    assert not hold.bars({read}, {other})
    assert Hold(None, None).bars((), {other})
