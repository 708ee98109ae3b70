"""From messages to rows: checked at the edge, committed in groups, acknowledged after."""
