"""Clips of events: recorded while they happen, kept on the device, sent when somebody asks."""
