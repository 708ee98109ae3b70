"""Datasets and models in other people's formats, in and out."""
