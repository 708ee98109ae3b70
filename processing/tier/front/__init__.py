"""The tier over HTTP: limits, credentials, answers."""
