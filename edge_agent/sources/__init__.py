"""Where frames come from: what a camera's address means, and one file a kind of source."""
