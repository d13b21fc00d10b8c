"""Containers: what each method does alone; that they compose, wait and wake; what they refuse."""

import pytest

from colony.primitives.errors import TransactionError
from colony.stm import Memory, TBoundedQueue, TMVar, TQueue, TSemaphore, atomically, or_else
from colony.stm.transaction import Transaction


def waits(body, memory=None):
    """Whether `body` says `retry`, attempted once."""
    return not Transaction(memory or Memory()).attempt(body)


def test_a_place_is_filled_once_and_emptied_once():
    """Of a place, `take` waits while it is empty and `put` while it is full; `read` and `swap` leave it full."""
    memory = Memory()
    place = TMVar(memory=memory)
    assert all(waits(verb, memory) for verb in (place.take, place.read, lambda t: place.swap(t, 1)))
    atomically(lambda t: place.put(t, "a"), memory=memory)
    assert waits(lambda t: place.put(t, "b"), memory)
    assert atomically(lambda t: (place.read(t), place.swap(t, "c"), place.is_empty(t)), memory=memory) == (
        "a",
        "a",
        False,
    )
    assert atomically(lambda t: (place.take(t), place.is_empty(t)), memory=memory) == ("c", True)


def test_a_place_can_hold_none():
    """None is a value like any other: a place that holds it is full."""
    place = TMVar(None)
    assert atomically(lambda t: (place.is_empty(t), place.take(t), place.is_empty(t))) == (False, None, True)


def test_a_place_can_be_tried():
    """The verbs that try say what they found instead of waiting."""
    place = TMVar(1)
    assert atomically(lambda t: (place.try_put(t, 2), place.try_take(t))) == (False, 1)
    assert atomically(lambda t: (place.try_take(t), place.try_put(t, 2), place.read(t))) == (None, True, 2)


def test_a_queue_gives_what_was_put_first():
    """Items leave in the order they came, also when putting and taking alternate across the reversal."""
    queue, taken = TQueue(), []
    for item in range(10):
        atomically(lambda t, item=item: queue.put(t, item))
        if item % 3 == 2:
            taken.append(atomically(queue.take))
    assert atomically(queue.peek) == 3
    assert taken + atomically(queue.flush) == list(range(10))
    assert atomically(lambda t: (queue.is_empty(t), queue.try_take(t), queue.flush(t))) == (True, None, [])


def test_putting_and_taking_do_not_meet():
    """While the front lasts, a put and a take that overlap both commit, the second without running again."""
    memory = Memory()
    queue = TBoundedQueue(4, memory=memory)
    atomically(lambda t: [queue.put(t, item) for item in range(3)], memory=memory)
    atomically(queue.take, memory=memory)
    putting, taking = Transaction(memory), Transaction(memory)
    queue.put(putting, 3)
    assert queue.take(taking) == 1
    assert putting._commit()
    assert taking._commit()
    assert atomically(queue.flush, memory=memory) == [2, 3]


def test_each_item_is_moved_once():
    """Thousands of items that wait are reversed at the first take, and not touched again: amortised O(1)."""
    queue, count = TQueue(), 20_000
    for start in range(0, count, 1000):
        atomically(lambda t, start=start: [queue.put(t, item) for item in range(start, start + 1000)])
    back = queue._back
    assert atomically(queue.take) == 0
    assert back.value is None
    versions = {back.cell}
    for _ in range(100):
        atomically(queue.take)
        versions.add(back.cell)
    assert len(versions) == 1
    assert len(atomically(queue.flush)) == count - 101


def test_a_full_queue_waits_for_room():
    """A bounded queue takes `capacity` items; what is taken makes room, and `length` counts what is there."""
    memory = Memory()
    queue = TBoundedQueue(2, memory=memory)
    atomically(lambda t: (queue.put(t, 1), queue.put(t, 2)), memory=memory)
    assert waits(lambda t: queue.put(t, 3), memory)
    assert atomically(lambda t: (queue.is_full(t), queue.length(t)), memory=memory) == (True, 2)
    assert atomically(lambda t: (queue.take(t), queue.put(t, 3), queue.flush(t))[2], memory=memory) == [2, 3]
    assert atomically(lambda t: (queue.is_full(t), queue.length(t)), memory=memory) == (False, 0)
    atomically(lambda t: (queue.put(t, 4), queue.put(t, 5)), memory=memory)
    assert waits(lambda t: queue.put(t, 6), memory)


def test_a_semaphore_counts():
    """There are as many permits as were given; a release makes one more."""
    memory = Memory()
    semaphore = TSemaphore(2, memory=memory)
    atomically(lambda t: (semaphore.acquire(t), semaphore.acquire(t)), memory=memory)
    assert waits(semaphore.acquire, memory)
    atomically(semaphore.release, memory=memory)
    assert atomically(semaphore.value, memory=memory) == 1


def test_containers_compose():
    """Several of them in one body act together or not at all, and `or_else` chooses among those that can go on."""
    memory = Memory()
    queue, place, permits = TQueue(memory=memory), TMVar("full", memory=memory), TSemaphore(1, memory=memory)
    atomically(lambda t: queue.put(t, "item"), memory=memory)

    def move(t):
        permits.acquire(t)
        place.put(t, queue.take(t))

    assert waits(move, memory)
    assert atomically(lambda t: (permits.value(t), queue.peek(t)), memory=memory) == (1, "item")
    atomically(or_else(move, place.take), memory=memory)
    atomically(or_else(move, place.take), memory=memory)
    assert atomically(lambda t: (permits.value(t), place.read(t), queue.is_empty(t)), memory=memory) == (
        0,
        "item",
        True,
    )


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: TMVar(1, 2), "given 2"),
        (lambda: TBoundedQueue(0), "capacity 0"),
        (lambda: TSemaphore(-1), "-1 permits"),
    ],
)
def test_a_container_that_makes_no_sense_is_refused(build, said):
    """A place for two values, a queue for none and a negative number of permits are errors of the programmer."""
    with pytest.raises(TransactionError, match=said):
        build()


def test_the_names_of_a_container_reach_the_errors():
    """Who waits for a named container for too long is told which."""
    memory = Memory()
    queue = TBoundedQueue(1, name="inbox", memory=memory)
    with pytest.raises(TransactionError, match=r"inbox\.front.*inbox\.back"):
        atomically(queue.take, memory=memory, wait_seconds_max=0.001)
