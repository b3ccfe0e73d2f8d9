"""``make demo``: finds or starts a broker, and runs ``pointsman demo`` on it."""
