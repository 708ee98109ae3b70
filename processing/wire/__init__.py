"""The protocol between agents, hub and browsers: every message, limit and encoding."""
