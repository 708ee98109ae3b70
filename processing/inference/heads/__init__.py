"""How each kind of network's output becomes detections; one file a kind."""
