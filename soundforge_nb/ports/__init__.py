"""Ports: sole owner of child processes. One port is one child, one job at a time."""
