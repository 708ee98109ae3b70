"""How long a labeler waits between two pictures: made pictures, a hub, a scripted labeler."""
