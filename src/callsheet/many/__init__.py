"""One intention, many calls.

Theory of operation. Rows are taken from their iterator one at a time, only when there is room, and their calls begin
in that order; outcomes are given in it too, so those of quicker rows wait for a slower one before them, or as they
come. A row that is refused, because its service is down or throttles, waits where it is: `patience.py`. *Room* bounds
the memory: `concurrency` calls in flight, and at most twice as many rows taken whose outcomes were not yet given.
A row's deadline starts when its call begins, in the thread or task that makes it; before that a row costs no time.

Blocking: the caller's own thread takes the rows, inside `next`, because a database's cursor or session may be used in
no other; daemon threads make the calls. The price is that an outcome can wait until the rows' iterator has made one
further row. Asyncio: one task takes the rows, one further task makes each call, and no outcome waits for a row.

What ends it early (an error to be raised, `close`, dropping the iterator, an interrupt) begins nothing more. Tasks are
cancelled. Threads cannot be, so calls in flight run to the end of their own deadlines: `close` and an error that is
raised wait for them, an interrupt and a dropped iterator do not.
"""
