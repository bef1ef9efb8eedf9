"""What is worth a thread: only work that takes longer than handing it over."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sightline.core.threads import SHORT, shared


@pytest.mark.parametrize(("seconds", "elsewhere"), [(0.0, False), (4 * SHORT, True)], ids=["short", "long"])
def test_work_that_takes_long_is_shared_and_keeps_its_order(seconds: float, elsewhere: bool) -> None:
    def work(number: int) -> tuple[int, str]:
        time.sleep(seconds) if seconds else None
        return number, threading.current_thread().name

    with ThreadPoolExecutor(2, "helper") as pool:
        made = list(shared(pool, work, range(600)))
    assert [number for number, _ in made] == list(range(600))
    assert any(name.startswith("helper") for _, name in made) is elsewhere


def test_what_it_meets_reaches_whoever_asked() -> None:
    def work(number: int) -> int:
        if number == 300:
            raise ValueError("the three hundredth")
        return number

    with ThreadPoolExecutor(2) as pool:
        stream = shared(pool, work, range(600))
        assert [next(stream) for _ in range(300)] == list(range(300))
        with pytest.raises(ValueError, match="three hundredth"):
            next(stream)
