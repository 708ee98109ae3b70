"""What the dashboard answers to browsers."""
