"""What the tier asks its hub, and tells it."""
