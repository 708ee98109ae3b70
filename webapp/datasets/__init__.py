"""Frames kept for learning, and what people and models say is in them."""
