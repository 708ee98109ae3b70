"""The hub: enrols agents, stores and shows what they see, hands doubt to labelers."""
