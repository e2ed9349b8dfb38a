"""Listeners: what is made of events."""
