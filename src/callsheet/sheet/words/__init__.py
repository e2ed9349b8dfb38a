"""The vocabulary of a sheet: the keys of each topic, and what their values mean. `key_table.py` has them all."""
