"""Figures of the running agent, for Prometheus on the same machine."""
