"""Batches: a model looks at thousands of pictures, whatever stops in between."""
