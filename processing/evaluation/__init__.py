"""How good a bundle is: pure functions, spec in, figures out."""
