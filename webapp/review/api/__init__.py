"""The labelers' work over HTTP: queues, items, verdicts, and how good they are."""
