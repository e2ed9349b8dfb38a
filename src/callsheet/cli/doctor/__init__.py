"""The checks of `callsheet doctor`. Each yields what it found; none of them prints or changes anything."""
