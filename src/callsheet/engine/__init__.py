"""The one place that acts.

Theory of operation. The loop is written once, as coroutines, and waits only through an *io*. `TaskIo` suspends;
`ThreadIo` blocks and therefore never suspends, so that `finish` can run the same coroutine to its end with a single
`send(None)`. Policies only answer; `loop.py` asks them in the plan's order and carries their verdicts out.
"""
