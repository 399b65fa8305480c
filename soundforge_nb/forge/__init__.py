"""Forge: what a notebook holds. Every call is one RPC to the application."""
