"""The policies, one per file. The engine asks them and acts; a policy itself never waits, sends, reads a clock or draws.

A policy has at most five questions, all plain functions, and leaves out those that it has no answer to:

    before(attempt, now) -> Verdict | None     may the attempt be made, and when
    attach(attempt, now) -> Request            the request to send; asked when all waits are over
    after(attempt, now) -> Verdict | None      what the outcome means
    let_go(attempt, sent) -> None              give back what it took for the attempt and noted in `attempt.held[self]`
    ended(call) -> None                        the call is over
"""
