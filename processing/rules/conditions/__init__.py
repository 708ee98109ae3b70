"""What rules wait for: one file a condition, what it looks at and how it says so."""
