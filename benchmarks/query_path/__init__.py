"""A hub's database of months, and how fast a chart is read from it."""
