"""From a frame to what the wire carries: infer, track, pack."""
