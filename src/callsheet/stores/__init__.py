"""State that several processes share, kept in a Valkey or Redis."""
