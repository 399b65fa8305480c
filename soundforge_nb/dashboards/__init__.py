"""Dashboards: what a notebook shows. A view knows a snapshot, a way to follow, and requests; no more."""
