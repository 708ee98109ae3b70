"""Set-up and the demo: fetches what is not committed, builds the default bundle, supervises."""
