"""What an upstream counts."""

import time
from collections import Counter, deque

SECOND = 1.0


class Ledger:
    """Connections, requests and their times, orders carried out by their ids, and requests in flight."""

    def __init__(self):
        self.connections = 0
        self.requests = 0
        self.orders = Counter()
        self.began = None
        self.in_flight = 0
        self.most_in_flight = 0
        self.most_per_second = 0
        self._recent = deque()

    def connected(self):
        """A connection was accepted."""
        self.connections += 1

    def arrived(self):
        """A request has come in whole: the seconds since the first one."""
        now = time.monotonic()
        self.began = self.began or now
        self.requests += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self._recent.append(now)
        while self._recent[0] <= now - SECOND:
            self._recent.popleft()
        self.most_per_second = max(self.most_per_second, len(self._recent))
        return now - self.began

    def over(self):
        """A request was answered, or never will be."""
        self.in_flight -= 1

    def carried_out(self, order):
        """An order was carried out; the same one a second time is a duplicate."""
        self.orders[order] += 1

    def told(self):
        """All of it as plain numbers."""
        return {
            "connections": self.connections,
            "requests": self.requests,
            "orders": len(self.orders),
            "duplicates": self.orders.total() - len(self.orders),
            "most_in_flight": self.most_in_flight,
            "most_per_second": self.most_per_second,
        }
