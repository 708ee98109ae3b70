"""What cameras' pictures are like over time, and when that is not as it should be."""
