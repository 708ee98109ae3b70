"""What `benchmarks.ingest` measures with: a swarm of agents, a stock consumer, bare inserts."""
