"""Pictures, stored once by their content."""
