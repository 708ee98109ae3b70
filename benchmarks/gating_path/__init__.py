"""What the gating benchmark looks at, and how it compares gated with ungated."""
