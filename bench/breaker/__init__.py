"""Steady failures and an outage, through real sockets, before callsheet with its breaker and without it."""
