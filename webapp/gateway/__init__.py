"""The only place that talks to agents: handshake, ingest, desired state, live pictures."""
