"""The tests of Callsheet."""
