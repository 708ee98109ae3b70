"""Durable background work: the Job row is the truth, a worker carries it out."""
