"""Who is judged next, and who cannot be in time."""
