"""Live video from cameras to viewers: the agent's link, real viewers, and Channels by the book."""
