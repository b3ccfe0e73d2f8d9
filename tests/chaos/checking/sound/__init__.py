"""Histories in which nothing is wrong: real decisions, a broker and a database by simulation."""
