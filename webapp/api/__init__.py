"""The REST API as a whole: routes, errors, schema."""
