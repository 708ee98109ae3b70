"""The least a start can cost: what hub and agent import and compile, and nothing else."""
