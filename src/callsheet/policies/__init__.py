"""One idea that decides, per file. A policy is asked and answers; it never waits, sends, reads a clock or draws.

A policy has at most five questions, all plain functions, and leaves out those that do not concern it:

    before(attempt, now) -> Verdict | None     may the attempt be made, and when
    attach(attempt, now) -> Request            what is sent, when nothing waits any more
    after(attempt, now) -> Verdict | None      what the outcome means
    let_go(attempt, sent) -> None              give back what `attempt.held[self]` stands for
    ended(call) -> None                        the call is over
"""
