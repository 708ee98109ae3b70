"""What the tier benchmark is made of."""
