"""Sites, agents and cameras: what is desired of them and what they report."""
