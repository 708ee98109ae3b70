"""What a person is told of what tracks do: pure functions of tracks and clock."""
