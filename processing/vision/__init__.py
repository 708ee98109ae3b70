"""Frames and detections as arrays, and geometry on them. Only numpy."""
