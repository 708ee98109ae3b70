"""Clips whose truth is known, and another tracker's word on them."""
