"""The labelers' queue: items, leases, verdicts."""
