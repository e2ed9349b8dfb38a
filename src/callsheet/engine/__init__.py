"""The engine: the one room that sends requests, waits and tells listeners.

Theory of operation. The loop is written once, as coroutines, and waits only through an *io*. `TaskIo` suspends;
`ThreadIo` blocks and therefore never suspends, so that `finish` can run the same coroutine to its end with a single
`send(None)`. Policies only return verdicts; `loop.py` asks them in the plan's order and carries these out.
"""
