"""Speed and accuracy, measured: one command each, one JSON line each."""
