"""What `benchmarks footprint` installs and starts."""
