"""Calculations of the policies: they work on numbers and texts, and read no clock."""
