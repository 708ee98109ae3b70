"""What the benchmark of batches is made of: pictures, the bare loop, and a door to the hub."""
