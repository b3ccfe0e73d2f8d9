"""A small world that shows what Pointsman does: ``pointsman demo``."""
