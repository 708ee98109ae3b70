"""The tier as a process of its own, or inside another server."""
