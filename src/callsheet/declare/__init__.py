"""Operations: what a service offers, as frozen data."""
