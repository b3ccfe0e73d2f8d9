"""The worked examples of the pages in ``docs/``."""
