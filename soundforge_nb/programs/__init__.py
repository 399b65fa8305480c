"""The child programs, run with ``python -m``: each does one piece of audio work and ends."""
