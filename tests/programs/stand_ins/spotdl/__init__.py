"""Stands in for spotdl, which is large and asks sites that tests do not: it takes the same command line."""
