"""Forms: each reads one value of a kind, says what is wrong with it, and gives its JSON Schema."""
