"""The program beside the cameras: captures, infers, tracks, stores, sends. It needs no Django."""
