"""What every benchmark has in common: its command, its report, fair rounds."""
