"""What is in force for an operation, where each setting came from, and the worst that the settings allow."""
