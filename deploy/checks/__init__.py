"""Checks that ``make check`` adds to those of ready-made tools."""
