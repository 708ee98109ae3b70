"""What `benchmarks edge` measures: the agent's path, its ceiling, and the peer's way."""
