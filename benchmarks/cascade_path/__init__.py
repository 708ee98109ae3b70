"""What the cascade benchmark is made of."""
