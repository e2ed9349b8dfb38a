"""HTTP by libcurl.

Theory of operation. A *transfer* is one request on one libcurl handle. Handles are driven in a libcurl *multi*, which
owns the connections: the blocking transport has a *lane* (a multi and a handle) for each call in flight and steps it
with `poll`; the asyncio transport has one multi per event loop, driven by the loop. Nothing is driven by
`perform()`, during which Ctrl-C would not be noticed while connecting.

A body that is not in memory is read when libcurl asks for it, which it does only once it has begun to send. What goes
wrong in reading aborts the transfer in the middle of the body. An async iterator is taken from by a task; until that
has brought something, libcurl is told to pause. The handle closes what is read from, however the transfer ends.

What libcurl would do by itself and must not: send a request again, resolve names (its threads hold up exit), undo
content codings (it takes a cut body for a whole one), follow redirects, read proxies from the environment, send on
a kept connection that the server closed less than a second ago.
"""
