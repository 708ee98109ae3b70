"""Inference for whoever asks: agents that are full, other programs, batches."""
