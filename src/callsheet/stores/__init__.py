"""Where state lives that several processes share."""
