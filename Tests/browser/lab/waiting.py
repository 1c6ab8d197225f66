# SPDX-License-Identifier: Apache-2.0
# Waits for a condition with a deadline: the only way a scenario lets time pass.
import time

DEADLINE_SECONDS = 30
LOOK_SECONDS = 0.05


class TooLate(AssertionError):
    """The condition did not come true in time; the message says what was seen last."""


def until(what, question, seconds=DEADLINE_SECONDS):
    """Asks `question` until it answers something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TooLate(f'{what}: not within {seconds} s; last answer: {answer!r}')
        time.sleep(LOOK_SECONDS)


def same(found, wanted, what):
    """Compares two values and shows both when they differ."""
    if found != wanted:
        raise AssertionError(f'{what}\n    wanted {wanted!r}\n    found  {found!r}')
