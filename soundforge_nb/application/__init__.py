"""Application: the supervision tree, the scheduler extension that hosts it, and its calls."""
