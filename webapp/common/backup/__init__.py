"""All of a hub in one file: its database, its files, its key; and back."""
