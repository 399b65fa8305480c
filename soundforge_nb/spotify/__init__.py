"""Spotify's links, read without a network."""
