"""What models said of frames: rows, per-minute counts, how far each agent is."""
