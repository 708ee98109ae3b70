"""A thousand agents that come back at once, and a person who looks meanwhile."""
