"""Frames that the cloud judges instead of the agent's own network, and what that costs."""
